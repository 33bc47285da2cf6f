"""The shape of the package: who imports whom, and what an import costs."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from mlmon import architecture

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "mlmon"

# Each module and the modules of mlmon that it imports, at the top or inside its functions.
# A new line here is a decision: the lower a module stands, the fewer it names.
GRAPH = {
    "mlmon.cli": [
        "mlmon.doctor", "mlmon.grading.autograde", "mlmon.grading.course", "mlmon.grading.export", "mlmon.grading.release",
        "mlmon.grading.template", "mlmon.lab", "mlmon.progress", "mlmon.serving.stack",
    ],
    "mlmon.data": [
        "mlmon.data.incidents", "mlmon.data.inject", "mlmon.data.scenarios", "mlmon.data.scrapes", "mlmon.data.tables",
    ],
    "mlmon.compare": ["mlmon._lazy"],
    "mlmon.compare.arms": ["mlmon._check", "mlmon.drift.metric"],
    "mlmon.compare.design": ["mlmon._check"],
    "mlmon.compare.sequential": ["mlmon._check", "mlmon.compare.arms", "mlmon.drift.metric"],
    "mlmon.data.__main__": ["mlmon.data.scenarios", "mlmon.data.tables"],
    "mlmon.data.incidents": ["mlmon._check", "mlmon.data._stream", "mlmon.data.inject", "mlmon.data.tables"],
    "mlmon.data.inject": ["mlmon._check", "mlmon.data._stream"],
    "mlmon.data.scenarios": ["mlmon._check", "mlmon.data._stream", "mlmon.data.inject", "mlmon.data.tables"],
    "mlmon.data.scrapes": ["mlmon._check", "mlmon.data._stream"],
    "mlmon.data.tables": ["mlmon._check", "mlmon.data._stream"],
    "mlmon.drift": ["mlmon._lazy"],
    "mlmon.drift.ask": ["mlmon._check", "mlmon.drift.verdict"],
    "mlmon.drift.calibration": ["mlmon.drift.column"],
    "mlmon.drift.card": [
        "mlmon._check", "mlmon.data.scenarios", "mlmon.drift.ask", "mlmon.drift.show", "mlmon.drift.verdict",
    ],
    "mlmon.drift.cbpe": ["mlmon._check", "mlmon.drift.metric", "mlmon.drift.prior"],
    "mlmon.drift.dependence": ["mlmon.drift.calibration"],
    "mlmon.drift.detect": [
        "mlmon._check", "mlmon.drift.calibration", "mlmon.drift.dependence", "mlmon.drift.feature",
        "mlmon.drift.profile", "mlmon.drift.report", "mlmon.drift.source", "mlmon.drift.twosample",
        "mlmon.drift.verdict",
    ],
    "mlmon.drift.differential": [
        "mlmon._check", "mlmon.drift.column", "mlmon.drift.detect", "mlmon.drift.show", "mlmon.drift.signatures",
        "mlmon.drift.twosample", "mlmon.drift.verdict",
    ],
    "mlmon.drift.distance": ["mlmon._check", "mlmon.drift.column"],
    "mlmon.drift.domain": ["mlmon._check", "mlmon.drift.column", "mlmon.drift.detect"],
    "mlmon.drift.feature": [
        "mlmon.drift.calibration", "mlmon.drift.column", "mlmon.drift.distance", "mlmon.drift.grid",
        "mlmon.drift.ruler", "mlmon.drift.source", "mlmon.drift.tail", "mlmon.drift.twosample",
    ],
    "mlmon.drift.grid": ["mlmon.drift.column"],
    "mlmon.drift.label": [
        "mlmon._check", "mlmon.drift.column", "mlmon.drift.detect", "mlmon.drift.metric", "mlmon.drift.twosample",
        "mlmon.drift.verdict",
    ],
    "mlmon.drift.late": ["mlmon._check"],
    "mlmon.drift.ledger": [
        "mlmon._check", "mlmon.drift.column", "mlmon.drift.distance", "mlmon.drift.rootcause", "mlmon.drift.show",
        "mlmon.drift.verdict",
    ],
    "mlmon.drift.metric": ["mlmon._check"],
    "mlmon.drift.mixture": ["mlmon.drift.column", "mlmon.drift.source"],
    "mlmon.drift.performance": [
        "mlmon._check", "mlmon.drift.late", "mlmon.drift.metric", "mlmon.drift.show", "mlmon.drift.verdict",
    ],
    "mlmon.drift.prediction": [
        "mlmon._check", "mlmon.drift.calibration", "mlmon.drift.column", "mlmon.drift.distance", "mlmon.drift.label",
        "mlmon.drift.scores", "mlmon.drift.twosample", "mlmon.drift.verdict",
    ],
    "mlmon.drift.prior": [
        "mlmon._check", "mlmon.drift.column", "mlmon.drift.label", "mlmon.drift.mixture", "mlmon.drift.verdict",
    ],
    "mlmon.drift.profile": ["mlmon.drift.ruler", "mlmon.drift.source"],
    "mlmon.drift.report": ["mlmon.drift.show", "mlmon.drift.verdict"],
    "mlmon.drift.rootcause": ["mlmon._check", "mlmon.drift.domain", "mlmon.drift.show", "mlmon.drift.verdict"],
    "mlmon.drift.ruler": ["mlmon.drift.column", "mlmon.drift.grid", "mlmon.drift.tail"],
    "mlmon.drift.scores": ["mlmon.drift.calibration", "mlmon.drift.column", "mlmon.drift.twosample"],
    "mlmon.drift.show": ["mlmon.drift.verdict"],
    "mlmon.drift.signatures": ["mlmon.drift.column", "mlmon.drift.twosample"],
    "mlmon.drift.source": ["mlmon.drift.column"],
    "mlmon.drift.stream": [
        "mlmon.drift.stream.cusum", "mlmon.drift.stream.errors", "mlmon.drift.stream.hoeffding",
        "mlmon.drift.stream.runlength", "mlmon.drift.stream.windows",
    ],
    "mlmon.drift.stream.base": ["mlmon._check"],
    "mlmon.drift.stream.cusum": ["mlmon._check", "mlmon.drift.stream.base", "mlmon.drift.stream.runlength"],
    "mlmon.drift.stream.errors": ["mlmon._check", "mlmon.drift.stream.base", "mlmon.drift.stream.runlength"],
    "mlmon.drift.stream.hoeffding": ["mlmon._check", "mlmon.drift.stream.base", "mlmon.drift.stream.runlength"],
    "mlmon.drift.stream.runlength": ["mlmon._check"],
    "mlmon.drift.stream.windows": [
        "mlmon._check", "mlmon.drift.stream.base", "mlmon.drift.stream.runlength", "mlmon.drift.twosample",
    ],
    "mlmon.drift.twosample": [
        "mlmon._check", "mlmon.drift.calibration", "mlmon.drift.column", "mlmon.drift.distance",
        "mlmon.drift.verdict",
    ],
    "mlmon.fraud": ["mlmon._chance", "mlmon._check", "mlmon.drift.metric", "mlmon.drift.verdict"],
    "mlmon.grading._inside": [
        "mlmon.grading._kernel", "mlmon.grading._walls", "mlmon.grading.sandbox", "mlmon.grading.wire",
    ],
    "mlmon.grading.autograde": [
        "mlmon.grading.course", "mlmon.grading.execute", "mlmon.grading.feedback", "mlmon.grading.gradebook",
        "mlmon.grading.grades", "mlmon.grading.jobs", "mlmon.grading.likeness", "mlmon.grading.release",
        "mlmon.grading.sandbox", "mlmon.grading.submission",
    ],
    "mlmon.grading.checks": ["mlmon.grading.proxy"],
    "mlmon.grading.execute": [
        "mlmon.grading.checks", "mlmon.grading.mend", "mlmon.grading.proxy", "mlmon.grading.sandbox",
    ],
    "mlmon.grading.export": ["mlmon.grading.course", "mlmon.grading.grades", "mlmon.grading.lms"],
    "mlmon.grading.feedback": ["mlmon.grading.course"],
    "mlmon.grading.gradebook": ["mlmon.grading.course"],
    "mlmon.grading.grades": ["mlmon.grading.release"],
    "mlmon.grading.jobs": ["mlmon.grading.course", "mlmon.grading.execute", "mlmon.grading.sandbox"],
    "mlmon.grading.monitoring_checks": [
        "mlmon.grading.checks", "mlmon.grading.scrape_checks", "mlmon.serving.brief", "mlmon.serving.dryrun", "mlmon.serving.runbook",
    ],
    "mlmon.grading.proxy": ["mlmon.grading.wire"],
    "mlmon.grading.release": ["mlmon.grading.course"],
    "mlmon.grading.retraining_checks": ["mlmon.grading.checks"],
    "mlmon.grading.sandbox": ["mlmon.grading._walls", "mlmon.grading.wire"],
    "mlmon.grading.scrape_checks": ["mlmon.grading.checks", "mlmon.serving.dryrun"],
    "mlmon.grading.student": ["mlmon.grading.checks", "mlmon.grading.wire"],
    "mlmon.grading.submission": ["mlmon.grading.course", "mlmon.grading.lms", "mlmon.grading.mend"],
    "mlmon.grading.template": ["mlmon.grading.course"],
    "mlmon.loops": ["mlmon._lazy"],
    "mlmon.loops.active": ["mlmon._check", "mlmon.drift.metric", "mlmon.loops.query"],
    "mlmon.loops.fairness": ["mlmon._check", "mlmon.drift.label", "mlmon.drift.metric"],
    "mlmon.loops.hiring": ["mlmon._check", "mlmon.drift.metric", "mlmon.loops.fairness"],
    "mlmon.loops.laws": ["mlmon._check"],
    "mlmon.loops.query": ["mlmon._check"],
    "mlmon.loops.recommender": ["mlmon._check", "mlmon.loops.policies"],
    "mlmon.loops.signals": ["mlmon._check"],
    "mlmon.learning": ["mlmon._lazy"],
    "mlmon.learning.canary": ["mlmon._chance", "mlmon._check", "mlmon.compare", "mlmon.compare.sequential"],
    "mlmon.learning.holdout": ["mlmon._chance", "mlmon._check"],
    "mlmon.learning.retrain": ["mlmon._check", "mlmon.learning.canary", "mlmon.learning.trigger", "mlmon.learning.validate"],
    "mlmon.learning.trigger": ["mlmon._check"],
    "mlmon.learning.validate": ["mlmon._check", "mlmon.compare", "mlmon.compare.arms", "mlmon.drift.metric"],
    "mlmon.loops.diversity": ["mlmon._check"],
    "mlmon.loops.lists": ["mlmon._check", "mlmon.loops.diversity"],
    "mlmon.loops.monitor": ["mlmon._check", "mlmon.drift.metric", "mlmon.drift.verdict", "mlmon.loops.diversity"],
    "mlmon.loops.offpolicy": ["mlmon._check", "mlmon.drift.metric"],
    "mlmon.loops.policies": ["mlmon._check"],
    "mlmon.progress": ["mlmon._check"],
    "mlmon.serving": ["mlmon._lazy"],
    "mlmon.serving.alerts": ["mlmon._check", "mlmon.serving.slo"],
    "mlmon.serving.brief": ["mlmon.serving.dryrun"],
    "mlmon.serving.compose": ["mlmon.serving.export"],
    "mlmon.serving.dashboard": ["mlmon._check", "mlmon.serving.alerts", "mlmon.serving.metrics", "mlmon.serving.slo"],
    "mlmon.serving.dryrun": ["mlmon.serving.slo"],
    "mlmon.serving.export": [
        "mlmon.serving.alerts", "mlmon.serving.dashboard", "mlmon.serving.routing", "mlmon.serving.slo",
    ],
    "mlmon.serving.fallback": ["mlmon._check"],
    "mlmon.serving.faults": ["mlmon._check"],
    "mlmon.serving.inbox": ["mlmon.serving.runbook"],
    "mlmon.serving.live": ["mlmon.serving.stack"],
    "mlmon.serving.metrics": ["mlmon._check"],
    "mlmon.serving.model": [
        "mlmon._check", "mlmon.drift.verdict", "mlmon.serving.metrics", "mlmon.serving.predictions",
        "mlmon.serving.quality", "mlmon.serving.window",
    ],
    "mlmon.serving.quality": ["mlmon.drift.metric"],
    "mlmon.serving.replay": ["mlmon._check", "mlmon.serving.slo"],
    "mlmon.serving.routing": ["mlmon.serving.slo"],
    "mlmon.serving.scorecard": ["mlmon._check"],
    "mlmon.serving.service": [
        "mlmon._check", "mlmon.data.scenarios", "mlmon.serving.fallback", "mlmon.serving.faults", "mlmon.serving.intake",
        "mlmon.serving.metrics", "mlmon.serving.model", "mlmon.serving.predictions", "mlmon.serving.scorecard",
        "mlmon.serving.telemetry",
    ],
    "mlmon.serving.slo": ["mlmon._check"],
    "mlmon.serving.stack": [
        "mlmon._check", "mlmon.doctor", "mlmon.serving.export", "mlmon.serving.processes", "mlmon.serving.slo",
    ],
    "mlmon.serving.traffic": ["mlmon._check", "mlmon.data.scenarios"],
    "mlmon.serving.window": ["mlmon.drift.detect", "mlmon.drift.distance", "mlmon.drift.verdict"],
}

# What `import mlmon` and `from mlmon import drift` may not load: each costs more than numpy.
HEAVY = ["scipy.special", "scipy.stats", "pandas", "sklearn", "evidently", "matplotlib", "mlflow", "airflow", "dask", "pyarrow", "nbgrader"]


NAMES = architecture.modules()


def test_each_module_imports_what_the_graph_says():
    # The graph is a plan to compare with, not a record of what happens to be there.
    assert {name: sorted(needs) for name, needs in architecture.graph().items() if needs} == {n: sorted(v) for n, v in GRAPH.items()}


def test_the_drawing_is_of_the_graph_as_it_is():
    # Whoever adds an import between packages draws it anew.
    assert architecture.DRAWING.read_text() == architecture.drawing(), "run: python -m mlmon.architecture"


def test_the_drawing_has_an_arrow_or_a_way_of_arrows_for_each_import():
    # Leaving out detours loses nobody: what is reached stays reached.
    whole = architecture.packages(architecture.graph())
    drawn = architecture.without_detours(whole)
    for name, needs in whole.items():
        reached, new = set(), {name}
        while new := set().union(*(drawn[one] for one in new)) - reached:
            reached |= new
        assert needs <= reached
    rows = {name: line for line, row in enumerate(architecture.layers(drawn)) for name in row}
    assert rows.keys() == drawn.keys() and all(rows[name] < rows[need] for name in drawn for need in drawn[name])


def test_imports_make_no_circle():
    # Taking away, again and again, what imports nothing that is left must leave nothing.
    left = architecture.graph()
    while free := [name for name, needs in left.items() if not needs & left.keys()]:
        for name in free:
            del left[name]
    assert not left, f"in a circle, or above one: {sorted(left)}"


@pytest.mark.parametrize("name", ["mlmon.plot", "mlmon.report"])
def test_plot_and_report_stand_alone(name):
    # Both take what they show by argument, so that any code can use them.
    assert architecture.graph()[name] == set()


def test_numbers_know_no_decisions():
    # A PSI can be plotted or exported without importing a verdict.
    assert architecture.graph()["mlmon.drift.distance"].isdisjoint({"mlmon.drift.detect", "mlmon.drift.verdict"})



@pytest.mark.parametrize("line", [
    "import mlmon", "from mlmon import drift", "from mlmon.drift import *", "from mlmon import serving", "from mlmon import compare, learning, loops",
])
def test_an_import_loads_nothing_heavy(line):
    # A student waits for every import; these libraries are loaded where they are used.
    show = f"{line}; import sys; print(*[name for name in {HEAVY} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=True)
    assert told.stdout.split() == []


def test_every_module_of_serving_is_at_hand():
    # Whoever has the package reaches its modules and its public names without knowing where they live.
    from mlmon import serving
    modules = {path.stem for path in (PACKAGE / "serving").glob("[a-z]*.py")}
    assert modules == set(serving._NAMES)
    assert all(getattr(serving, name).__name__ == f"mlmon.serving.{name}" for name in modules)
    assert all(hasattr(serving, name) for name in serving.__all__)


def names_from_mlmon(cell):
    """Names that one code cell takes from mlmon; lines that only IPython reads are left out."""
    source = re.sub(r"^\s*[%!].*$", "", cell.source, flags=re.M)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "mlmon")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "mlmon":
            yield from (alias.name for alias in node.names)


# The last notebook goes once more through all of the course, so it takes each part of the package, where a section begins with it.
WHOLE = {"14_practices_and_pitfalls": {"data", "drift", "learning", "loops", "plot", "score", "serving"}}


@pytest.mark.parametrize("path", sorted((ROOT / "course").glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_takes_at_most_three_names_from_mlmon(path):
    # An idea is written out in its notebook; the package helps, it does not hide.
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    names = {name for cell in cells for name in names_from_mlmon(cell)} - WHOLE.get(path.stem, set())
    assert len(names) <= (0 if path.stem in WHOLE else 3), sorted(names)
    assert all(len(set(names_from_mlmon(cell))) <= 3 for cell in cells)


# What an exercise may take from mlmon: never the module that holds its own answer. One that has no line may take OWN.
OWN = {"mlmon.data", "mlmon.plot", "mlmon.grading.checks"}
ALLOWED = {
    "ex1_dashboard": {
        "mlmon.data", "mlmon.plot", "mlmon.serving.dryrun", "mlmon.serving.stack", "mlmon.grading.checks",
        "mlmon.grading.monitoring_checks", "mlmon.grading.scrape_checks",
    },
    "ex2_drift": OWN,
    "ex3_feedback_loop": {"mlmon.loops.recommender", "mlmon.plot", "mlmon.grading.checks"},
    "ex4_retraining": {"mlmon.data", "mlmon.plot", "mlmon.grading.checks", "mlmon.grading.rehearsal", "mlmon.grading.retraining_checks"},
}


@pytest.mark.parametrize("path", sorted((ROOT / "solutions").glob("*/*.ipynb")), ids=lambda path: path.stem)
def test_an_exercise_does_not_import_its_answer(path):
    # Neither the reference solution nor its hidden tests may lean on the package's own.
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    source = "\n".join(re.sub(r"^\s*[%!].*$", "", cell.source, flags=re.M) for cell in cells)
    for name in architecture.imported(ast.parse(source), NAMES):
        assert any(name == allowed or name.startswith(f"{allowed}.") for allowed in ALLOWED.get(path.parent.name, OWN)), name
