"""The notebooks of the course keep their shape, their links and their promises."""
import ast
import base64
import re
from pathlib import Path

import nbformat
import pytest

COURSE = Path(__file__).parents[1] / "course"
NOTEBOOKS = sorted(COURSE.glob("*.ipynb"))
OBJECTIVES = (
    "Design comprehensive monitoring strategies for ML systems in production",
    "Detect and diagnose different types of drift (data drift, concept drift, prediction drift)",
    "Implement automated alerting and anomaly detection for model degradation",
    "Identify and manage feedback loops (both beneficial and degenerative)",
    "Build continuous learning systems with safe retraining workflows",
    "Use observability tools (Prometheus, Evidently AI, Grafana) for ML systems",
    "Perform root cause analysis when models fail",
    "Establish SLAs and success criteria for production models",
)

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path):
    return nbformat.read(path, as_version=4).cells


def prose(path):
    return "\n\n".join(cell.source for cell in read(path) if cell.cell_type == "markdown")


def code(path):
    return [cell for cell in read(path) if cell.cell_type == "code"]


@each_notebook
def test_the_title_is_a_question_and_the_recap_answers_it(path):
    # The recap repeats the question and gives at least three numbers.
    text = prose(path)
    title = re.match(r"# (.+\?)\n", text)
    recap = text.split("## Recap:")[-1]
    assert title and recap.lower().strip().startswith(title[1].lower())
    assert len(re.findall(r"\*\*[^*]*\d[^*]*\*\*|\d", recap)) >= 3


@each_notebook
def test_a_notebook_has_all_its_parts(path):
    text = prose(path)
    parts = ("After this notebook you can", "**Time:**", "**You need:**", "**Predict", "**Look.**", "**Say.**",
             "**Your turn.**", "## Where this fails", "## What the package adds", "## Quiz", "**Next:**")
    assert [part for part in parts if part not in text] == []
    assert len(re.findall(r"^\d\. ", text.split("**Time:**")[0], flags=re.M)) == 3       # objectives
    assert 4 <= len(re.findall(r"^## \d+\. .+\?$", text, flags=re.M)) <= 8               # sections, as questions


@each_notebook
def test_the_quiz_has_four_questions_with_folded_reasons(path):
    # The reader opens one of four answers and is told whether it holds, and why: one does. Or one fold holds the answer.
    quiz = prose(path).split("## Quiz")[1].split("## Recap")[0]
    assert re.findall(r"^\*\*(\d)\.\*\*", quiz, flags=re.M) == ["1", "2", "3", "4"]
    assert quiz.count("<details>") == quiz.count("</details>")
    for question in re.split(r"^\*\*\d\.\*\*", quiz, flags=re.M)[1:]:
        folds = re.findall(r"<details><summary>([a-d])\) .+</summary>\n\n\*\*(Yes|No)\*\*[.,] \S", question)
        one_each = [letter for letter, _ in folds] == list("abcd") and [verdict for _, verdict in folds].count("Yes") == 1
        assert question.count("<details>") == (4 if one_each else 1), question


@each_notebook
def test_every_answer_is_folded_and_every_fold_closes(path):
    text = prose(path)
    assert text.count("<details>") == text.count("</details>") >= 8


@each_notebook
def test_prose_stands_before_each_short_cell(path):
    cells = read(path)
    assert [b.id for a, b in zip(cells, cells[1:]) if a.cell_type == b.cell_type == "code"] == []
    assert [cell.id for cell in code(path) if len(cell.source.splitlines()) > 10] == []
    assert [cell.id for cell in code(path) if max(map(len, cell.source.splitlines())) > 100] == []


@each_notebook
def test_the_set_up_imports_no_more_than_three_names_of_the_package(path):
    imports = [node for node in ast.parse(code(path)[0].source).body if isinstance(node, ast.ImportFrom)]
    assert sum(len(node.names) for node in imports if node.module.startswith("mlmon")) <= 3


@each_notebook
def test_cell_names_stay_and_are_readable(path):
    # Reviews and links go by cell id: words, never random hex.
    ids = [cell.id for cell in read(path)]
    assert len(set(ids)) == len(ids) and all(re.fullmatch(r"[a-z0-9-]+", name) for name in ids)
    assert not any(re.fullmatch(r"[0-9a-f]{8,}", name) for name in ids)


@each_notebook
def test_every_slider_has_a_static_figure_beside_it(path):
    # Whoever only reads sees the same lesson: a picture within the next two code cells.
    cells = code(path)
    for i, cell in enumerate(cells):
        if "@interact" in cell.source:
            assert "nbval-ignore-output" in cell.metadata["tags"]
            assert any("image/png" in out.get("data", {}) for near in cells[i + 1:i + 3] for out in near.outputs)


@each_notebook
def test_findings_are_asserted(path):
    # Every section with code asserts what it says.
    assert sum("assert " in cell.source for cell in code(path)) >= 6


@each_notebook
def test_no_output_shows_digits_that_another_processor_would_round_otherwise(path):
    for cell in code(path):
        for output in [] if "nbval-ignore-output" in cell.metadata.get("tags", []) else cell.outputs:
            shown = output.get("text") or output.get("data", {}).get("text/plain", "")
            assert not re.search(r"\d\.\d{9}", shown), f"{cell.id} shows {shown[:80]!r}. Round it."


@each_notebook
def test_the_glossary_is_at_hand(path):
    assert "](glossary.md)" in read(path)[0].source


def test_the_glossary_is_in_order_and_names_a_notebook_for_each_word():
    text = (COURSE / "glossary.md").read_text(encoding="utf-8")
    words = re.findall(r"^## (.+)$", text, flags=re.M)
    assert len(words) > 50 and words == sorted(set(words), key=str.lower)
    links = re.findall(r"\*\[\d\d\]\((\d\d_\w+\.ipynb)\)\*$", text, flags=re.M)
    assert len(links) == len(words) and all((COURSE / link).exists() for link in links)


@each_notebook
def test_links_lead_somewhere(path):
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)]+)\)", prose(path)) if "://" not in link]
    assert [link for link in links if link and not (COURSE / link).exists()] == []


def test_the_map_links_every_notebook_that_exists():
    text = prose(COURSE / "00_orientation.ipynb")
    assert [path.name for path in NOTEBOOKS[1:] if f"]({path.name})" not in text] == []


def test_the_map_names_each_objective_of_the_chapter_with_notebook_and_exercise():
    # One row an objective: its words, two-digit notebooks from 00 to 14, exercises from 1 to 4.
    text = prose(COURSE / "00_orientation.ipynb")
    for objective in OBJECTIVES:
        row = re.search(rf"^\| {re.escape(objective)} \| ([\d, ]+) \| ([\d, ]+) \|$", text, flags=re.M)
        assert row, objective
        assert all(re.fullmatch(r"0\d|1[0-4]", number) for number in row[1].split(", "))
        assert all(number in "1234" for number in row[2].split(", "))


@pytest.mark.parametrize("picture, notebook, cell_id", [
    ("detected_drift.png", "01_data_drift.ipynb", "day-figure"),
    ("bad_monday.png", "00_orientation.ipynb", "monday"),
])
def test_the_pictures_of_the_front_page_are_the_notebooks_own(picture, notebook, cell_id):
    # Copied from the stored output, so that they cannot go stale.
    cell = next(cell for cell in read(COURSE / notebook) if cell.id == cell_id)
    png = next(out.data["image/png"] for out in cell.outputs if "image/png" in out.get("data", {}))
    assert (COURSE / "images" / picture).read_bytes() == base64.b64decode(png)
