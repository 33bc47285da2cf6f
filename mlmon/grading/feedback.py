"""Pages that go back to a student: their own errors and the tests' hints, never the hidden tests."""

import hashlib
import html
import re
import shutil

import bleach
from bleach.css_sanitizer import CSSSanitizer
from jinja2 import pass_context
from nbconvert.exporters import HTMLExporter
from nbgrader.converters import GenerateFeedback
from nbgrader.preprocessors import ClearHiddenTests, NbGraderPreprocessor
from nbgrader.utils import is_grade, is_solution
from traitlets import List

# No script, no frame, nothing from another address: a student's page shows, and does nothing.
_POLICY = (
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
    "style-src 'unsafe-inline'; font-src data:\">"
)
_STYLE = "<style>.rendered_html td, .rendered_html th {padding: 0.2em 0.8em} pre {white-space: pre-wrap !important}</style>"
_TAGS = {
    *bleach.ALLOWED_TAGS, "p", "br", "hr", "div", "span", "pre", "sub", "sup", "del", "img", "details", "summary",
    "h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tfoot", "tr", "th", "td", "caption", "dl", "dt", "dd",
}  # fmt: skip
_ATTRIBUTES = {
    **bleach.ALLOWED_ATTRIBUTES,
    "*": ["class", "title", "style"],
    "img": ["src", "alt", "width", "height"],
    "td": ["colspan", "rowspan"],
    "th": ["colspan", "rowspan", "scope"],
}
_SAFE = {"text/plain", "text/latex", "image/png", "image/jpeg"}
_CELL_FRAME = re.compile(r"Cell In\s*\[(\d+)\]")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def clean(text):
    """Keep of HTML what only shows: no scripts, no frames, no handlers.

    Parameters
    ----------
    text : str

    Returns
    -------
    str

    Examples
    --------
    >>> clean("<b onclick='x()'>bold</b><script>alert(1)</script>")
    '<b>bold</b>'
    """
    text = re.sub(r"(?is)<(script|style|iframe|object|svg)\b.*?(</\1\s*>|$)", "", text)
    return bleach.clean(
        text,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        protocols={"http", "https", "mailto", "data"},
        css_sanitizer=CSSSanitizer(),
        strip=True,
    )


class SafeHTMLExporter(HTMLExporter):
    """nbgrader's feedback page without anything that runs or calls out."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.sanitize_html = True

    @pass_context
    def markdown2html(self, context, source):
        """Render a text cell and clean the result."""
        render = HTMLExporter.markdown2html
        return clean(render(self, context, source))

    def from_notebook_node(self, nb, resources=None, **kw):
        """Export, and forbid scripts in the page's head."""
        page, resources = super().from_notebook_node(nb, resources, **kw)
        return page.replace("<head>", f"<head>\n{_POLICY}\n{_STYLE}", 1), resources


class HideTests(NbGraderPreprocessor):
    """Take hidden tests out of a graded notebook: from sources, tracebacks and outputs."""

    display_data_priority = List(["text/html", "image/png", "image/jpeg", "text/latex", "text/plain"], config=True)

    def preprocess(self, nb, resources):
        """Clear the notebook for its student's eyes."""
        clear = ClearHiddenTests(log=self.log)
        hidden = _hidden_lines(nb, clear)
        own = {cell.get("execution_count") for cell in nb.cells if not _is_test(cell)}
        nb, resources = clear.preprocess(nb, resources)
        for cell in nb.cells:
            for output in cell.get("outputs", []):
                _clear(output, own, hidden)
        return nb, resources


def _is_test(cell):
    return is_grade(cell) and not is_solution(cell)


def _hidden_lines(nb, clear):
    """Lines that only hidden tests have and that are long enough to tell something, longest first."""
    hidden, open_ = set(), []
    for cell in nb.cells:
        inside = False
        for line in cell.source.split("\n"):
            inside = inside or clear.begin_test_delimeter in line
            if inside:
                hidden.add(line.strip())
            else:
                open_.append(line)
            inside = inside and clear.end_test_delimeter not in line
    known = "\n".join(open_)
    return sorted((line for line in hidden if len(line) >= 8 and line not in known), key=len, reverse=True)


def _hide(text, hidden):
    for line in hidden:
        for form in (line, repr(line)[1:-1], html.escape(line)):
            text = text.replace(form, "[hidden test]")
    return text


def _clear(output, own, hidden):
    if output.output_type == "stream":
        output.text = _hide(output.text, hidden)
    elif output.output_type == "error":
        output.evalue = _hide(output.evalue, hidden)
        frames = [frame for frame in output.traceback if _is_own(frame, own)]
        output.traceback = [_hide(_COLOUR.sub("", frame), hidden) for frame in frames]
        output.traceback.append(f"{output.ename}: {output.evalue}")
    else:
        kept = {kind: data for kind, data in output.data.items() if kind in _SAFE}
        if isinstance(output.data.get("text/html"), str):
            kept["text/html"] = clean(output.data["text/html"])
        output.data = {kind: _hide(data, hidden) if kind.startswith("text/") else data for kind, data in kept.items()}


def _is_own(frame, own):
    """Whether a traceback's frame shows a cell that the student may see."""
    cells = [int(number) for number in _CELL_FRAME.findall(_COLOUR.sub("", frame))]
    return bool(cells) and all(number in own for number in cells)


def write_feedback(course, exercise, row, parts, scores, ledger):
    """Write a student's pages, unless those that are there show these grades.

    Parameters
    ----------
    course : Course
    exercise : str
    row : Row
    parts : list of Part
    scores : dict of str to Score
    ledger : Ledger

    Returns
    -------
    bool
        Whether pages were written.
    """
    folder = course.feedback(row.student, exercise)
    digest = hashlib.sha256(repr([row, parts, sorted(scores.items()), _comments(course, row)]).encode()).hexdigest()
    if ledger.feedback(row.student, exercise) == digest and (folder / "index.html").exists():
        return False
    if folder.exists():
        shutil.rmtree(folder)
    if any(course.autograded(row.student, exercise).glob("*.ipynb")):
        course.convert(GenerateFeedback, exercise, row.student, force=True)
        _only_pages(folder, {path.stem for path in course.release(exercise).glob("*.ipynb")})
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.html").write_text(_index(row, parts, scores, sorted(folder.glob("*.html"))), encoding="utf-8")
    ledger.fed_back(row.student, exercise, digest)
    return True


def _only_pages(folder, names):
    """Remove what nbgrader copies beside the pages: files that a submission may have written."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        elif path.suffix != ".html" or path.stem not in names or path.parent != folder:
            path.unlink()


def _comments(course, row):
    """What graders wrote by hand, so that a new comment makes new pages."""
    with course.gradebook() as gradebook:
        notebooks = gradebook.find_submission(row.exercise, row.student).notebooks
        return sorted((book.name, note.name, note.comment or "") for book in notebooks for note in book.comments)


def _index(row, parts, scores, pages):
    """One page: how it ended, the points by part, and the way to each notebook."""
    reason = "Your instructor will look at it." if row.status == "failed" else row.reason
    total = sum(scores[part.name].score or 0 for part in parts if part.name in scores)
    lines = [_part_line(part, scores.get(part.name), {page.stem for page in pages}) for part in parts]
    return "\n".join(
        [
            f"<!DOCTYPE html>\n<html lang=\"en\"><head>{_POLICY}<meta charset=\"utf-8\">",
            f"<title>{html.escape(row.exercise)}</title>",
            "<style>body{font:16px sans-serif;max-width:46em;margin:2em auto}td,th{padding:.3em 1em;text-align:left}"
            "td+td,th+th{text-align:right}</style></head><body>",
            f"<h1>{html.escape(row.exercise)}: {html.escape(row.student)}</h1>",
            f"<p><b>{html.escape(row.status)}</b>. {html.escape(reason)}</p>",
            f"<p>{total:g} of {sum(part.points for part in parts):g} points so far.</p>",
            "<table><tr><th>Part</th><th>Points</th></tr>",
            *lines,
            "</table>",
            *[f"<p>{html.escape(note)}</p>" for note in row.notes],
            "</body></html>",
        ]
    )


def _part_line(part, score, pages):
    name = html.escape(part.name)
    if part.notebook in pages:
        name = f'<a href="{html.escape(part.notebook)}.html#{html.escape(part.grade_id)}">{name}</a>'
    got = "waits for a person" if score is None or score.score is None else f"{score.score:g} of {part.points:g}"
    return f"<tr><td>{name}</td><td>{got}</td></tr>"
