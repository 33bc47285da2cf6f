"""The command says what it did, what is wrong, and tells it by its exit code too."""

import sys
import zipfile

import pytest

from mlmon import cli


def run(course, *words):
    return cli.main([*words, "--root", str(course.root)])


def test_release_makes_the_exercises(course, capsys):
    assert run(course, "release") == 0
    assert capsys.readouterr().out == "exercises/toy: unchanged\n"
    assert run(course, "release", "toy", "--archive") == 0
    assert (course.build / "mlmon-students.zip").exists()


def test_grade_takes_a_zip_and_ends_with_0_when_all_is_well(tmp_path, kit, capsys):
    course = kit.make_course(tmp_path / "course", {"gap": kit.toy_notebooks()["gap"]})
    assert run(course, "release") == 0
    place = kit.hand_in(tmp_path / "in", "anna", kit.answer(course.release("toy"), {"gap": kit.RIGHT["gap"]}))
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as pack:
        pack.write(place / "gap.ipynb", "anna/gap.ipynb")
    assert run(course, "grade", "toy", "--submissions", str(tmp_path / "class.zip")) == 0
    told = capsys.readouterr().out
    assert "1 graded" in told and "grades.csv" in told
    assert kit.read_grades(course)["anna"]["score"] == "4.0"
    (tmp_path / "in" / "ben").mkdir()
    assert run(course, "grade", "toy", "--submissions", str(tmp_path / "in")) == 1
    assert "1 no submission" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["grade", "other", "--submissions", "."], "Choose one of: toy"),
        (["grade", "toy", "--submissions", "nowhere"], "Check the path"),
        (["grade", "toy", "--submissions", ".", "--scheduler", "tcp://127.0.0.1:1"], "no Dask scheduler answers"),
        (["release", "other"], "Choose one of: toy"),
    ],
)
def test_what_cannot_be_done_ends_with_2_and_says_why(course, capsys, words, told):
    assert run(course, *words) == 2
    assert told in capsys.readouterr().err


def test_grading_without_a_sandbox_is_asked_for_by_name(course, monkeypatch):
    from mlmon.grading import autograde

    asked = []
    monkeypatch.setattr(autograde, "grade", lambda *words, **how: asked.append(how["unsafe"]) or [])
    for words in ([], ["--unsafe"]):
        run(course, "grade", "toy", "--submissions", ".", *words)
    assert asked == [False, True]


def test_a_missing_package_is_named_without_a_traceback(course, monkeypatch, capsys):
    # `pip install .` alone brings no grader: None makes Python say that there is no such module.
    monkeypatch.setitem(sys.modules, "traitlets.config.loader", None)
    assert run(course, "release") == 2
    told = capsys.readouterr().err
    assert "mlmon release needs the package traitlets" in told and "mlmon doctor" in told


def test_outside_of_a_course_it_says_where_to_go(tmp_path, capsys):
    assert cli.main(["release", "--root", str(tmp_path)]) == 2
    assert "nbgrader_config.py" in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["grade", "toy"], ["grade", "toy", "--submissions", ".", "--workers", "0"]])
def test_a_wrong_command_line_is_explained(words, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 2 and "usage: mlmon" in capsys.readouterr().err


def test_doctor_is_passed_on(monkeypatch):
    from mlmon import doctor

    monkeypatch.setattr(doctor, "main", lambda argv: len(argv))
    assert cli.main(["doctor", "a", "b"]) == 2
