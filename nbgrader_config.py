"""nbgrader's settings, for its own commands, its buttons in JupyterLab, and `mlmon grade`.

`solutions/` is the source and `exercises/` what students get. All that grading makes stays under `build/`.
"""

import os
import sys
import warnings
from pathlib import Path

root = Path(__file__).resolve().parent
(root / "build").mkdir(exist_ok=True)  # sqlite makes its file, never the folder around it

# nbgrader calls `alembic` by name when it makes a gradebook, also where no environment is activated.
commands = str(Path(sys.executable).parent)
if commands not in os.environ.get("PATH", "").split(os.pathsep):
    os.environ["PATH"] = commands + os.pathsep + os.environ.get("PATH", "")

# Its queries set off a warning of SQLAlchemy for each submission; nothing is wrong.
warnings.filterwarnings("ignore", message="Object of type <Submitted")

c = get_config()  # noqa: F821, nbgrader defines it

c.CourseDirectory.root = str(root)
c.CourseDirectory.course_id = "mlmon"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "exercises"
c.CourseDirectory.submitted_directory = "build/submitted"
c.CourseDirectory.autograded_directory = "build/autograded"
c.CourseDirectory.feedback_directory = "build/feedback"
c.CourseDirectory.solution_directory = "build/solution"
c.CourseDirectory.source_with_tests_directory = "build/source_with_tests"
c.CourseDirectory.db_url = f"sqlite:///{root}/build/gradebook.db"

# `nbgrader zip_collect` takes build/downloaded/<exercise>/archive/*.zip, each holding <student>/<notebook>.ipynb.
c.ZipCollectApp.downloaded_directory = "build/downloaded"
c.FileNameCollectorPlugin.named_regexp = r".*/(?P<student_id>[^/]+)/(?P<file_id>[^/]+)\.ipynb$"

c.ClearSolutions.code_stub = {"python": "raise NotImplementedError()"}

# Seconds a cell may take. `RunSubmission.budget` bounds a whole notebook.
c.Execute.timeout = 60

# What came in is mended from the release before nbgrader reads its metadata,
# and scores are made honest before nbgrader saves them.
c.Autograde.sanitize_preprocessors = [
    "nbgrader.preprocessors.ClearOutput",
    "mlmon.grading.execute.MendSubmission",
    "nbgrader.preprocessors.DeduplicateIds",
    "nbgrader.preprocessors.OverwriteKernelspec",
    "nbgrader.preprocessors.OverwriteCells",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.Autograde.autograde_preprocessors = [
    "mlmon.grading.execute.RunSubmission",
    "nbgrader.preprocessors.LimitOutput",
    "mlmon.grading.execute.HonestScores",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]

# Feedback without hidden tests, their tracebacks, or scripts.
c.GenerateFeedback.exporter_class = "mlmon.grading.feedback.SafeHTMLExporter"
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.GetGrades",
    "mlmon.grading.feedback.HideTests",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]

# One row a student, one column a part, quoted as csv asks.
c.ExportApp.plugin_class = "mlmon.grading.grades.GradesExport"
