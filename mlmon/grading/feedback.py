"""Pages that go back to a student: their own errors and the tests' hints, never the hidden tests."""

import functools
import hashlib
import html
import re
import shutil

import bleach
import nbformat
from bleach.css_sanitizer import CSSSanitizer
from jinja2 import pass_context
from nbconvert.exporters import HTMLExporter
from nbconvert.filters import Highlight2HTML, clean_html
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbgrader.converters import GenerateFeedback
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import ClearHiddenTests, GetGrades, NbGraderPreprocessor
from nbgrader.utils import is_grade, is_solution, is_task
from traitlets import List
from traitlets.utils.importstring import import_item

from .course import log

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
_NO_ALT = re.compile(r"<img\b(?![^>]*\balt=)")
_KEPT = 5_000  # rendered texts kept for the next page
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
    """nbgrader's feedback page without anything that runs or calls out.

    Most of a page is the release's own text, so what was rendered once is kept for the class.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.sanitize_html = True
        self._rendered = functools.lru_cache(_KEPT)(lambda source: clean(MarkdownWithMath(self._renderer()).render(source)))
        colour = Highlight2HTML(parent=self)
        coloured = functools.lru_cache(_KEPT)(lambda source: colour(source))
        self.register_filter("highlight_code", lambda source, **metadata: coloured(source))
        self.register_filter("clean_html", functools.lru_cache(_KEPT)(clean_html))

    def _renderer(self, attachments=None):
        return IPythonRenderer(escape=False, attachments=attachments or {}, exclude_anchor_links=self.exclude_anchor_links)

    @pass_context
    def markdown2html(self, context, source):
        """Render a text cell and clean the result."""
        attachments = context.get("cell", {}).get("attachments")
        if attachments:
            return clean(MarkdownWithMath(self._renderer(attachments)).render(source))
        return self._rendered(source)

    def from_notebook_node(self, nb, resources=None, **kw):
        """Export, and forbid scripts in the page's head."""
        # Not by way of HTMLExporter, which parses the finished page again to give pictures their alternative texts.
        page, resources = super(HTMLExporter, self).from_notebook_node(nb, self._init_resources(resources), **kw)
        page = _NO_ALT.sub('<img alt="No description has been provided for this image"', page)
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


class Pages:
    """Makes feedback pages, one exporter for a whole class.

    Parameters
    ----------
    config : traitlets.config.Config
        nbgrader's settings; what they say of `GenerateFeedback` holds here too.
    """

    def __init__(self, config):
        maker = GenerateFeedback(coursedir=CourseDirectory(config=config), config=config, log=log)
        self._exporter = maker.exporter_class(parent=maker, config=maker.config, log=log)
        for step in maker.preprocessors:
            if not issubclass(import_item(step) if isinstance(step, str) else step, GetGrades):
                self._exporter.register_preprocessor(step)

    def page(self, name, notebook, parts, scores, remarks):
        """Make the page of one notebook.

        Parameters
        ----------
        name : str
        notebook : NotebookNode
            As executed, hidden tests and all. It is changed.
        parts : list of Part
        scores : dict of str to Score
            By the part's name.
        remarks : Remarks

        Returns
        -------
        str
            HTML.
        """
        most = {part.name: part.points for part in parts if part.notebook == name}
        got = {part: (scores[part].score or 0.0) if part in scores else 0.0 for part in most}
        for cell in notebook.cells:
            part = f"{name}:{cell.metadata.get('nbgrader', {}).get('grade_id')}"
            if part in most:
                cell.metadata.nbgrader.update(score=got[part], points=most[part])
            if is_solution(cell) or is_task(cell):
                cell.metadata.nbgrader["comment"] = remarks.comments.get(part)
        penalty = remarks.penalties.get(name, 0.0)
        told = {"notebook": name, "score": sum(got.values()) - penalty, "max_score": sum(most.values()), "late_penalty": penalty}
        return self._exporter.from_notebook_node(notebook, {"nbgrader": told})[0]


def write_feedback(course, exercise, row, parts, scores, remarks, ledger, pages):
    """Write a student's pages, unless those that are there show these grades.

    Parameters
    ----------
    course : Course
    exercise : str
    row : Row
    parts : list of Part
    scores : dict of str to Score
    remarks : Remarks
    ledger : Ledger
    pages : Pages

    Returns
    -------
    bool
        Whether pages were written.
    """
    folder = course.feedback(row.student, exercise)
    shown = [row, parts, sorted(scores.items()), sorted(remarks.comments.items()), sorted(remarks.penalties.items())]
    digest = hashlib.sha256(repr(shown).encode("utf-8", "backslashreplace")).hexdigest()
    if ledger.feedback(row.student, exercise) == digest and (folder / "index.html").exists():
        return False
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    books = {path.stem: path for path in sorted(course.autograded(row.student, exercise).glob("*.ipynb"))}
    for name, path in books.items():
        notebook = nbformat.v4.reads(path.read_text(encoding="utf-8"))
        _write(folder / f"{name}.html", pages.page(name, notebook, parts, scores, remarks))
    _write(folder / "index.html", _index(row, parts, scores, books))
    ledger.fed_back(row.student, exercise, digest)
    return True


def _write(path, text):
    path.write_text(text, encoding="utf-8", errors="replace")


def _index(row, parts, scores, pages):
    """One page: how it ended, the points by part, and the way to each notebook."""
    reason = "Your instructor will look at it." if row.status == "failed" else row.reason
    total = sum(scores[part.name].score or 0 for part in parts if part.name in scores)
    lines = [_part_line(part, scores.get(part.name), pages) for part in parts]
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
