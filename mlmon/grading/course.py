"""Where a course keeps its work, and how nbgrader's own steps are run over it."""

import copy
import logging
import warnings
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger("mlmon.grading")
log.addHandler(logging.NullHandler())
# nbgrader tells it of each cell with hidden tests; what a student did change is noted while mending.
log.addFilter(lambda record: "has changed! (should be" not in str(record.msg))


class GradingError(Exception):
    """Something that the instructor has to put right before grading goes on."""


@dataclass(frozen=True)
class Course:
    """The folders of one course and nbgrader's settings for them.

    Make one with `Course.at`. Everything generated goes under `build`.
    """

    root: Path
    build: Path
    config: object

    @classmethod
    def at(cls, root="."):
        """Open the course whose `nbgrader_config.py` is in `root` or above it.

        Parameters
        ----------
        root : path
            A folder of the course.

        Returns
        -------
        Course
        """
        from traitlets.config.loader import PyFileConfigLoader

        root = _find_root(Path(root).resolve())
        config = PyFileConfigLoader("nbgrader_config.py", path=str(root)).load_config()
        return cls(root, root / "build", config)

    def beside(self, build):
        """The same course with submissions, gradebook and feedback in another folder.

        Parameters
        ----------
        build : str
            Relative to the root; made when it is not there.

        Returns
        -------
        Course
        """
        config = copy.deepcopy(self.config)
        for step in ("submitted", "autograded", "feedback"):
            config.CourseDirectory[f"{step}_directory"] = f"{build}/{step}"
        config.CourseDirectory["db_url"] = f"sqlite:///{self.root / build / 'gradebook.db'}"
        (self.root / build).mkdir(parents=True, exist_ok=True)
        return Course(self.root, self.root / build, config)

    def exercises(self):
        """Names of the exercises that have a solution, sorted."""
        return sorted({path.parent.name for path in (self.root / "solutions").glob("*/*.ipynb")})

    def check(self, exercise):
        """Refuse the name of an exercise that has no solution."""
        if exercise not in self.exercises():
            raise GradingError(
                f"grading needs the name of an exercise under solutions/, got {exercise!r}. "
                f"Choose one of: {', '.join(self.exercises()) or 'none is there yet'}."
            )

    def solution(self, exercise):
        """Folder of the instructor's notebooks."""
        return self.root / "solutions" / exercise

    def release(self, exercise):
        """Folder of the notebooks that students get."""
        return self.root / "exercises" / exercise

    def submitted(self, student, exercise):
        """Folder of what a student handed in, normalised."""
        return self.build / "submitted" / student / exercise

    def autograded(self, student, exercise):
        """Folder of a student's notebooks as the grader ran them."""
        return self.build / "autograded" / student / exercise

    def feedback(self, student, exercise):
        """Folder of the pages that go back to a student."""
        return self.build / "feedback" / student / exercise

    def gradebook(self):
        """Open nbgrader's gradebook; use it in a `with` block."""
        from nbgrader.api import Gradebook

        _hush()
        return Gradebook(self.config.CourseDirectory.db_url, self.config.CourseDirectory.course_id)

    def convert(self, converter, exercise, student=None, **traits):
        """Run one of nbgrader's converters and keep going when a notebook fails.

        Parameters
        ----------
        converter : type
            A subclass of nbgrader's `BaseConverter`.
        exercise : str
            The assignment to convert.
        student : str, optional
            One student; without it, whatever the converter takes.
        **traits
            Settings of the converter, such as ``force=True``.

        Returns
        -------
        dict of str to Exception
            The notebooks that could not be converted, and why.
        """
        from nbgrader.coursedir import CourseDirectory

        _hush()
        problems = {}

        class Step(converter):
            def convert_single_notebook(self, filename):
                try:
                    super().convert_single_notebook(filename)
                except Exception as error:
                    log.exception("converting %s", filename)
                    problems[Path(filename).stem] = error

        folders = CourseDirectory(config=self.config, log=log)
        folders.assignment_id = exercise
        if student is not None:
            folders.student_id = student
        Step(coursedir=folders, config=self.config, log=log, **traits).start()
        return problems


def _hush():
    """Silence a warning that nbgrader's queries set off for each submission; nothing is wrong."""
    warnings.filterwarnings("ignore", message="Object of type <Submitted")


def _find_root(start):
    for folder in (start, *start.parents):
        if (folder / "nbgrader_config.py").is_file():
            return folder
    raise GradingError(
        f"a course needs nbgrader_config.py at its top, and neither {start} nor a folder above it has one. "
        "Run the command inside the course, or pass --root."
    )
