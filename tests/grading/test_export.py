"""What an export writes is what Canvas and Moodle read: each reader below follows the system's own import."""

import csv
import io

import pytest

from mlmon import cli
from mlmon.grading import export, grades
from mlmon.grading.course import GradingError

CANVAS = '''Student,ID,SIS User ID,SIS Login ID,Section,Notes,Warm-up (98764),Toy (98765),Current Score,Final Score
,,,,,,,Manual Posting,,
    Points Possible,,,,,,5.00,13.00,(read only),(read only)
"Lovelace, Ada",12345,S1,ada,Monday,,4.00,,80,80
"Hopper, Grace",12346,S2,grace,Monday,,5.00,7.00,100,100
"=cmd|' /C calc'!A1, Eve",12347,S3,eve,Monday,,,,,
"Noether, Emmy",12348,S4,emmy,Monday,,,EX,,
"Turing, Alan",12349,S5,alan,Monday,,,,,
"Student, Test",12399,,0123abcd,Monday,,,,,
'''
MOODLE = '''Identifier,Full name,ID number,Email address,Status,Grade,Maximum grade,Grade can be changed,Last modified (submission),\
Last modified (grade),Feedback comments
Participant 501,Ada Lovelace,S1,ada@example.org,Submitted for grading,,13.00,Yes,"Friday, 27 November 2026, 10:00 AM",-,
Participant 502,Grace Hopper,S2,grace@example.org,Submitted for grading,7.00,13.00,Yes,-,"Friday, 27 November 2026, 11:00 AM","<p>Fine, so far</p>"
Participant 503,=1+1 Eve,S3,eve@example.org,Submitted for grading,,13.00,Yes,-,-,
Participant 504,Emmy Noether,S4,emmy@example.org,Submitted for grading,3.00,13.00,No,-,-,
Participant 505,Alan Turing,S5,alan@example.org,No submission,,13.00,Yes,-,-,
'''


def canvas_reads(text):
    """Who gets which grade of which assignment, by the rules of Canvas's lib/gradebook_importer.rb."""
    header, *rows = csv.reader(io.StringIO(text))
    assert "Student" in header[0] and "ID" in header[1]
    columns = 4 if header[2] == "SIS Login ID" else 5 if header[2:4] == ["SIS User ID", "SIS Login ID"] else 3
    assert "Section" in header[columns - 1]
    people = [row for row in rows if "Points Possible" not in row[0] and not all(cell in ("", "Manual Posting") for cell in row)]
    return {(row[1], header[place]): row[place] for row in people for place in range(columns, len(header))}


def moodle_reads(text):
    """Who gets which grade, by the rules of Moodle's mod/assign/feedback/offline/importgradeslib.php."""
    rows = list(csv.DictReader(io.StringIO(text)))
    assert all({"Identifier", "Grade", "Last modified (grade)"} <= row.keys() and "Feedback comments" not in row for row in rows)
    return {row["Identifier"][len("Participant "):]: row["Grade"] for row in rows}


def graded(course, students):
    """A grades.csv with these students: name -> (points, written points, written answers waiting, status)."""
    with open(course.build / "grades.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, grades.COLUMNS, restval="")
        writer.writeheader()
        for name, (points, written, waiting, status) in students.items():
            writer.writerow({
                "student": name, "exercise": "toy", "score": points, "max_score": 10.0, "status": status,
                "written_score": written, "written_max_score": 3.0, "written_waiting": waiting,
            })  # fmt: skip
    return course


def exported(course, tmp_path, system, roster, **how):
    (tmp_path / "roster.csv").write_text(roster, encoding="utf-8")
    return export.export(course, "toy", system, tmp_path / "roster.csv", **how)


def test_canvas_gets_one_column_for_those_who_have_points(course, tmp_path):
    # 8.5 and 2 make 10.5, thirds are cut to two digits; the other assignment and the silent ones are not touched; the row of points stays.
    graded(course, {"lovelaceada_12345": (8.5, 2.0, 0, "graded"), "grace": (10 / 3, 0.0, 0, "graded")})
    done = exported(course, tmp_path, "canvas", CANVAS)
    text = done.path.read_text()
    assert canvas_reads(text) == {("12345", "Toy (98765)"): "10.5", ("12346", "Toy (98765)"): "3.33"}
    assert "    Points Possible,,,,,13.00" in text.splitlines() and ",,,,,Manual Posting" in text.splitlines()
    assert (done.written, done.aside, done.waiting, len(done.silent)) == (2, {}, [], 4)


def test_moodle_gets_its_worksheet_without_the_comments(course, tmp_path):
    # Comments are left out of the file, so that Moodle keeps its own.
    graded(course, {"Ada Lovelace_501": (8.5, 2.0, 0, "graded"), "grace@example.org": (0.0, 0.0, 0, "no submission")})
    done = exported(course, tmp_path, "moodle", MOODLE)
    assert moodle_reads(done.path.read_text()) == {"501": "10.5", "502": "0"}
    assert done.silent == ["=1+1 Eve", "Emmy Noether", "Alan Turing"]


def test_who_cannot_be_matched_is_listed_with_the_reason(course, tmp_path, capsys):
    # A number that is somebody else's hits nobody, a stranger is named, two hand-ins of one person are for a person to decide.
    graded(course, {
        "lovelaceada_12346": (1, 0, 0, "graded"), "nobody": (1, 0, 0, "graded"), "grace": (1, 0, 0, "graded"), "Grace Hopper": (2, 0, 0, "graded"),
        "noetheremmy_12348": (1, 0, 0, "graded"), "turingalan_12349": (1, 0, 0, "failed"), "eve": (1, 0, 2, "graded"),
    })  # fmt: skip
    (tmp_path / "roster.csv").write_text(CANVAS)
    assert cli.main(["export", "canvas", "toy", "--roster", str(tmp_path / "roster.csv"), "--root", str(course.root)]) == 1
    told = capsys.readouterr().out
    for words in (
        "1 grades in", "6 not in it", "lovelaceada_12346: number 12346 is Hopper, Grace there", "nobody: nobody there", "grace: more than one",
        "Grace Hopper: more than one", "noetheremmy_12348: locked, excused", "turingalan_12349: the grader failed", "counted as 0:\n    eve",
    ):  # fmt: skip
        assert words in told
    assert list(canvas_reads((course.build / "canvas-toy.csv").read_text()).values()) == ["1"]


def test_hidden_names_are_matched_by_their_number_alone(course, tmp_path):
    # Blind marking: Moodle calls everybody Participant in the zip, and has names in the worksheet only once they are revealed.
    graded(course, {"Participant_501": (8, 0, 0, "graded")})
    blind = "Identifier,Status,Grade,Maximum grade,Grade can be changed,Last modified (grade)\nParticipant 501,,,13.00,Yes,-\n"
    for roster in (blind, MOODLE):
        assert moodle_reads(exported(course, tmp_path, "moodle", roster).path.read_text()) == {"501": "8"}


@pytest.mark.parametrize(("system", "roster", "student"), [("canvas", CANVAS, "eve"), ("moodle", MOODLE, "eve@example.org")])
def test_no_cell_is_a_formula(course, tmp_path, system, roster, student):
    # Names come from strangers, and instructors open the file in a spreadsheet.
    done = exported(graded(course, {student: (8, 0, 0, "graded")}), tmp_path, system, roster)
    cells = [cell for row in csv.reader(done.path.open()) for cell in row]
    assert done.written == 1 and any("Eve" in cell for cell in cells)
    assert not [cell for cell in cells if cell.strip()[:1] in tuple("=+@") or cell[:1] == "-" and cell != "-"]


def test_a_semicolon_and_a_mark_of_bytes_are_read_and_the_semicolon_is_written(course, tmp_path):
    # What Canvas gives where the comma is the decimal sign.
    roster = "\ufeff" + CANVAS.replace('"Lovelace, Ada"', "Lovelace Ada").replace(",", ";").replace("13.00", "13,00")
    done = exported(graded(course, {"ada": (8, 0, 0, "graded")}), tmp_path, "canvas", roster)
    assert "Lovelace Ada;12345;S1;ada;Monday;8" in done.path.read_text(encoding="utf-8").splitlines()


def test_another_maximum_is_refused_or_stretched_on_demand(course, tmp_path):
    # 6.5 of 13 is half, and half of 100 is 50; Moodle would leave out what is above its maximum without a word.
    graded(course, {"Ada Lovelace_501": (6.5, 0, 0, "graded")})
    roster = MOODLE.replace("13.00", "100.00")
    with pytest.raises(GradingError, match="13 points.*100 at most.*--scale"):
        exported(course, tmp_path, "moodle", roster)
    assert moodle_reads(exported(course, tmp_path, "moodle", roster, scale=True).path.read_text()) == {"501": "50"}


@pytest.mark.parametrize(
    ("system", "roster", "how", "told"),
    [
        ("canvas", MOODLE, {}, "Student, ID and Section"),
        ("canvas", CANVAS, {"column": "Final Score"}, "one of: 'Notes', 'Warm-up \\(98764\\)', 'Toy \\(98765\\)'"),
        ("moodle", CANVAS, {}, "Identifier.*English"),
        ("moodle", MOODLE.replace("Maximum grade", "Scale"), {}, "Point"),
        ("moodle", "", {}, "Identifier"),
    ],
)
def test_a_wrong_roster_is_refused_with_the_way_out(course, tmp_path, system, roster, how, told):
    with pytest.raises(GradingError, match=told):
        exported(graded(course, {"ada": (8, 0, 0, "graded")}), tmp_path, system, roster, **how)


def test_an_export_before_grading_says_so(course, tmp_path):
    with pytest.raises(GradingError, match="mlmon grade toy"):
        exported(course, tmp_path, "canvas", CANVAS)
    graded(course, {"ada": (8, 0, 0, "graded")})
    with pytest.raises(GradingError, match="Download it again"):
        export.export(course, "toy", "canvas", tmp_path / "nowhere.csv")
