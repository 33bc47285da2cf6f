"""What students get: the solutions without their answers, made the same way each time."""

import filecmp
import hashlib
import os
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path

import nbformat

from .course import Course, GradingError

# What a student's archive holds. Neither solutions nor tests, which hold right answers.
_FOR_STUDENTS = (
    "README.md", "LICENSE", "Makefile", "pyproject.toml", "requirements.lock", "environment.yml",
    "nbgrader_config.py", "mlmon", "course", "datasets",
)  # fmt: skip
_LEAVE_OUT = {"__pycache__", ".ipynb_checkpoints", ".pytest_cache"}


@dataclass(frozen=True)
class Part:
    """One graded cell: where it is, what it is worth, and who grades it."""

    notebook: str
    grade_id: str
    points: float
    automatic: bool

    @property
    def name(self):
        """Column of the part in the grades.

        Examples
        --------
        >>> Part("02_psi", "psi_test", 3.0, True).name
        '02_psi:psi_test'
        """
        return f"{self.notebook}:{self.grade_id}"


def notebooks(folder):
    """Read the notebooks of a folder.

    Parameters
    ----------
    folder : path

    Returns
    -------
    dict of str to NotebookNode
        By name without the ending, sorted.
    """
    return {path.stem: nbformat.read(path, as_version=4) for path in sorted(Path(folder).glob("*.ipynb"))}


def parts(folder):
    """List the graded cells of an exercise in the order a reader meets them.

    Parameters
    ----------
    folder : path
        A folder of released (or solved) notebooks.

    Returns
    -------
    list of Part
    """
    return [
        _part(name, cell)
        for name, notebook in notebooks(folder).items()
        for cell in notebook.cells
        if {"grade", "task"} & {key for key, value in cell.metadata.get("nbgrader", {}).items() if value is True}
    ]


def _part(notebook, cell):
    mark = cell.metadata.nbgrader
    automatic = cell.cell_type == "code" and not mark.get("solution", False)
    return Part(notebook, mark.grade_id, float(mark.get("points", 0)), automatic)


def generate(course, exercise, folder, *, enrol=False):
    """Run nbgrader's `generate_assignment` into a folder of its own.

    Parameters
    ----------
    course : Course
    exercise : str
    folder : str
        Relative to the course; the notebooks end up in ``folder/exercise``.
    enrol : bool
        Whether the gradebook learns of the exercise, which grading needs.

    Returns
    -------
    pathlib.Path
        The folder of the generated notebooks.
    """
    from nbgrader.converters import GenerateAssignment

    course.check(exercise)
    _check_sources(course.solution(exercise))
    config = course.config.copy()
    config.CourseDirectory.release_directory = folder
    config.SaveCells.enabled = enrol
    made = Course(course.root, course.build, config)
    problems = made.convert(GenerateAssignment, exercise, force=True, no_database=not enrol)
    for name, error in problems.items():
        raise GradingError(
            f"nbgrader could not release solutions/{exercise}/{name}.ipynb: {error}. "
            "If cells were added or removed after students were graded, move build/gradebook.db away and grade again."
        ) from error
    return course.root / folder / exercise


def _check_sources(folder):
    for path in sorted(folder.glob("*.ipynb")):
        raw = nbformat.read(path, as_version=nbformat.NO_CONVERT)
        if (raw.nbformat, raw.nbformat_minor) < (4, 5):
            raise GradingError(
                f"a release needs notebooks of format 4.5, whose cells keep their ids; {path.name} has "
                f"{raw.nbformat}.{raw.nbformat_minor}. Save it with a current JupyterLab."
            )


def release(course, exercise):
    """Bring ``exercises/<exercise>`` up to date with its solution.

    Parameters
    ----------
    course : Course
    exercise : str

    Returns
    -------
    bool
        Whether anything changed.
    """
    fresh = generate(course, exercise, _scratch(course))
    target = course.release(exercise)
    if same(fresh, target):
        return False
    if target.exists():
        shutil.rmtree(target)
    shutil.copytree(fresh, target, ignore=shutil.ignore_patterns(*_LEAVE_OUT))
    return True


def up_to_date(course, exercise):
    """Whether ``exercises/<exercise>`` is what its solution generates now."""
    return same(generate(course, exercise, _scratch(course)), course.release(exercise))


def _scratch(course):
    return str((course.build / "release").relative_to(course.root))


def same(one, other):
    """Whether two folders hold the same files with the same bytes."""
    names = _files(one)
    return names == _files(other) and all(
        filecmp.cmp(Path(one) / name, Path(other) / name, shallow=False) for name in names
    )


def digest(folder):
    """Hash of all files of a folder, so that grades know which tests they come from."""
    total = hashlib.sha256()
    for name in _files(folder):
        content = hashlib.sha256((Path(folder) / name).read_bytes()).hexdigest()
        total.update(f"{name} {content}\n".encode())
    return total.hexdigest()


def _files(folder):
    return [str(path.relative_to(folder)) for path in _walk(Path(folder))]


def _walk(folder):
    """Regular files below a folder, sorted, without caches and links."""
    for base, folders, names in os.walk(folder):
        folders[:] = sorted(set(folders) - _LEAVE_OUT)
        for name in sorted(names):
            path = Path(base, name)
            if path.is_file() and not path.is_symlink() and path.suffix != ".pyc":
                yield path


def archive(course, exercises):
    """Pack what students get into ``build/mlmon-students.zip``.

    Parameters
    ----------
    course : Course
    exercises : sequence of str
        The released exercises to include.

    Returns
    -------
    pathlib.Path
        The archive, byte for byte the same for the same files.
    """
    wanted = [course.root / name for name in _FOR_STUDENTS] + [course.release(name) for name in exercises]
    target = course.build / "mlmon-students.zip"
    partial = target.with_suffix(".part")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as pack:
        for top in wanted:
            for path in [top] if top.is_file() else _walk(top):
                entry = zipfile.ZipInfo(f"mlmon/{path.relative_to(course.root).as_posix()}", (1980, 1, 1, 0, 0, 0))
                entry.external_attr = 0o644 << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                pack.writestr(entry, path.read_bytes())
    partial.replace(target)
    return target
