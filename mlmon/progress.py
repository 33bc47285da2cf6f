"""How far have I come? What the notebooks of a student's own folder tell, without running anything.

JupyterLab, as `mlmon lab` opens it, writes into each cell when it last ran. So a notebook of the course is as far
as its cells have been run, and an exercise as far as its visible checks have passed. Hidden tests decide the mark.
"""

from dataclasses import dataclass
from pathlib import Path

from mlmon import _check


@dataclass(frozen=True)
class Step:
    """One notebook, and how far it has come.

    Parameters
    ----------
    part : str
        "course", or the name of an exercise.
    notebook : str
        File name without suffix.
    title : str
        Its question.
    done, whole : float
        Code cells that have been run, or points of the visible checks that have passed; and all there are.
    note : str
        What stands in the way, such as an error; empty if nothing does.
    """

    part: str
    notebook: str
    title: str
    done: float
    whole: float
    note: str = ""

    @property
    def share(self):
        """From 0 to 1."""
        return self.done / self.whole if self.whole else 1.0


@dataclass(frozen=True, repr=False)
class Progress:
    """All notebooks and exercises of a folder; shows itself as a table.

    Parameters
    ----------
    steps : tuple of Step
    """

    steps: tuple

    @property
    def next(self):
        """The first step that is not done, or None."""
        return next((step for step in self.steps if step.share < 1), None)

    def to_frame(self):
        """One row a notebook.

        Returns
        -------
        pandas.DataFrame
            part, notebook, title, done, whole, note, share.
        """
        import pandas

        return pandas.DataFrame([{**vars(step), "share": step.share} for step in self.steps])

    def __repr__(self):
        rows = [(step.part, step.notebook, _bar(step.share), f"{step.done:g} of {step.whole:g}", step.note) for step in self.steps]
        widths = [max(map(len, column)) for column in zip(*rows)]
        lines = ["  ".join(word.ljust(width) for word, width in zip(row, widths)).rstrip() for row in rows]
        ahead = f"Next: {self.next.title} ({self.next.notebook})" if self.next else "All is done."
        return "\n".join([*lines, "", "course: code cells run; exercises: points of visible checks passed. The hidden tests decide the mark.", ahead])


def read(folder="."):
    """How far the notebooks in a folder of the course have come.

    Parameters
    ----------
    folder : path
        It holds ``course/`` and, where there are any, ``exercises/<name>/``.

    Returns
    -------
    Progress

    Raises
    ------
    ValueError
        Where there is no course in the folder.

    Notes
    -----
    A cell counts as run when JupyterLab noted the time (its setting "record timing", which `mlmon lab` switches on) and
    it ended without an error. A notebook that cannot be read is 0 of 1, and its note says why.
    """
    folder = Path(folder)
    notebooks = sorted((folder / "course").glob("*.ipynb"))
    if not notebooks:
        raise ValueError(f"folder needs course/*.ipynb, got {folder.resolve()} without. Pass the folder that holds course and exercises.")
    graded = sorted((folder / "exercises").glob("*/*.ipynb"))
    return Progress(tuple([_step("course", path, _cells) for path in notebooks] + [_step(path.parent.name, path, _points) for path in graded]))


def _step(part, path, count):
    import nbformat

    try:
        cells = nbformat.read(path, as_version=4).cells
    except Exception as error:
        return Step(part, path.stem, path.stem, 0, 1, f"cannot be read: {type(error).__name__}")
    heads = (line for cell in cells if cell.cell_type == "markdown" for line in cell.source.splitlines())
    title = next((line.removeprefix("# ") for line in heads if line.startswith("# ")), path.stem)
    return Step(part, path.stem, title, *count([cell for cell in cells if cell.cell_type == "code"]))


def _cells(code):
    """Cells run, all cells, and the first error."""
    return sum(map(_passed, code)), len(code), next(filter(None, map(_error, code)), "")


def _points(code):
    """Points of checks passed, all points of checks, and the first check that failed."""
    checks = [cell for cell in code if cell.metadata.get("nbgrader", {}).get("grade")]
    points = [cell.metadata.nbgrader.get("points", 0) for cell in checks]
    failed = next((f"{cell.metadata.nbgrader.grade_id}: {_error(cell)}" for cell in checks if _error(cell)), "")
    return sum(each for each, cell in zip(points, checks) if _passed(cell)), sum(points), failed


def _passed(cell):
    return "shell.execute_reply" in cell.metadata.get("execution", {}) and not _error(cell)


def _error(cell):
    """The first words of the error that a cell ended with, or nothing."""
    return next((f"{out.ename}: {out.evalue}".splitlines()[0][:80] for out in cell.get("outputs", []) if out.output_type == "error"), "")


def _bar(share, width=10):
    """A bar that is full only when all is done.

    Examples
    --------
    >>> _bar(0.5), _bar(0.999), _bar(1)
    ('#####.....', '#########.', '##########')
    """
    full = int(_check.share(share, "share") * width)
    return "#" * full + "." * (width - full)
