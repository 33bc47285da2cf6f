"""The course as a static web site: ``python -m mlmon.site`` builds it under ``build/site``.

Pages are taken as they stand: notebooks with their stored outputs, exercises as students get them, the
guides, the tables of the benchmarks, and a page for each module of the package. Nothing is executed, and
nothing that a page loads comes from another machine; the search runs in the browser.
"""

import base64
import html
import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
GUIDES = ("course/glossary.md", "course/notes_template.md", "course/instructor_guide.md", "CONTRIBUTING.md", "ARCHITECTURE.md")
TABLES = ("tests/benchmarks/README.md", "datasets/README.md", "CHANGELOG.md")
PLAIN = ("mlmon.architecture", "mlmon.cli", "mlmon.doctor", "mlmon.lab", "mlmon.site")     # commands, which the pages explain

COLAB = "report,serving,registry,fairness"     # extras that Colab lacks; it has the others

CONF = """
project, author, language = "mlmon", "the mlmon authors", "en"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "index"
html_theme, html_title = "pydata_sphinx_theme", "mlmon"
html_show_sourcelink = html_copy_source = False
html_theme_options = {"navbar_align": "left", "show_prev_next": True, "navigation_with_keys": False, "show_nav_level": 1,
                      "navbar_end": ["theme-switcher"], "footer_start": [], "footer_end": []}
html_sidebars = {"index": []}
html_context = {"default_mode": "auto"}
html_static_path, html_css_files = ["_static"], ["course.css"]
html_show_search_summary = False      # a summary would be fetched, which a page read from a disk may not
nb_execution_mode = "off"
suppress_warnings = ["ref.python"]     # a type of a docstring that two modules have
nb_ipywidgets_js = {}
myst_enable_extensions = ["dollarmath", "html_image"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "none"
napoleon_numpy_docstring, napoleon_google_docstring = True, False
napoleon_use_ivar, napoleon_use_rtype = True, False
html_math_renderer = "drawn"


def setup(app):
    from mlmon.site import formulas
    formulas(app)
"""


# At 1366 pixels a line of 100 characters of code fits, and folds stand apart from what follows.
STYLE = """
.bd-sidebar-primary { flex: 0 0 15rem; width: 15rem; }
.bd-sidebar-secondary { flex: 0 0 12rem; width: 12rem; }
.bd-main .bd-content .bd-article-container { max-width: 58rem; }
.bd-article-container .bd-article { padding: 1.5rem 1rem 0 1rem; }
div.cell pre { font-size: 0.8rem; }
div.cell_output pre { white-space: pre-wrap; }
div.cell_output img { max-width: 100%; }
div.cell_output td, div.cell_output th { padding: 0.1rem 0.5rem; }
details { margin: 0.3rem 0; }
details[open] { border-left: 3px solid var(--pst-color-border); margin-bottom: 1rem; padding-left: 0.8rem; }
p + details, details + p { margin-top: 1rem; }
summary { cursor: pointer; }
"""


def pages():
    """What the site holds, by group: ``{caption: [path in the repository, ...]}``.

    Returns
    -------
    dict of str to list of str
        Paths relative to the repository, with suffix.
    """
    def found(pattern):
        return sorted(str(path.relative_to(ROOT)) for path in ROOT.glob(pattern))

    return {"Course": found("course/*.ipynb"), "Exercises": found("exercises/*/*.ipynb"), "Guides": [*GUIDES], "Tables": [*TABLES]}


def modules():
    """Names of the public modules of the package, sorted.

    Returns
    -------
    list of str
    """
    names = []
    for path in sorted((ROOT / "mlmon").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if not any(part.startswith("_") or part in ("dags", "__main__") for part in parts):
            names.append(".".join(parts))
    return [name for name in names if name not in PLAIN]


def without_strangers(text, folder, held):
    """Markdown with links to what the site does not hold turned into plain words.

    Parameters
    ----------
    text : str
    folder : pathlib.PurePath
        The page's folder in the repository.
    held : set of str
        Paths that the site holds.

    Returns
    -------
    str

    Examples
    --------
    >>> without_strangers("[the code](mlmon/lab.py), [a page](README.md#two)", Path("."), {"README.md"})
    'the code, [a page](README.md#two)'
    """
    def kept(match):
        target = match["target"].split("#")[0]
        path = os.path.normpath(folder / target)
        return match[0] if not target or "://" in target or path in held else match["words"]

    return re.sub(r"(?<!!)\[(?P<words>[^\]\[]*)\]\((?P<target>[^)\s]+)\)", kept, text)


def lay_out(source):
    """Write the sources of the site into a folder, in the shape of the repository.

    Parameters
    ----------
    source : pathlib.Path
        Is made anew.
    """
    import nbformat

    shutil.rmtree(source, ignore_errors=True)
    groups = pages()
    images = [str(path.relative_to(ROOT)) for path in (ROOT / "course" / "images").glob("*")]
    notebooks = [name for group in groups.values() for name in group if name.endswith(".ipynb")]
    words = [name for group in groups.values() for name in group if name.endswith(".md")]
    held, origin = {"README.md", *notebooks, *words, *images}, _origin()
    for name in held:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
    for name in images:
        shutil.copy(ROOT / name, source / name)
    for name in [*words, "README.md"]:
        text = without_strangers((ROOT / name).read_text(encoding="utf-8"), Path(name).parent, held)
        (source / name).write_text(text, encoding="utf-8")
    for name in notebooks:
        book = nbformat.read(ROOT / name, as_version=4)
        for cell in book.cells:
            if cell.cell_type == "markdown":
                cell.source = without_strangers(cell.source, Path(name).parent, held)
        speak_figures(book.cells)
        if name in groups["Course"] and (words := launchers(origin, name)):
            book.cells.insert(1, nbformat.v4.new_markdown_cell(words, id="launchers"))
        nbformat.write(book, source / name)
    (source / "_static").mkdir()
    (source / "_static" / "course.css").write_text(STYLE, encoding="utf-8")
    _reference(source, groups)
    _contents(source, groups)


def launchers(origin, name):
    """Words with links that open a notebook on Binder and on Colab, from the address that the repository was cloned from.

    Parameters
    ----------
    origin : str
        As git knows it.
    name : str
        The notebook's path in the repository.

    Returns
    -------
    str
        Empty where the repository is not on GitHub: neither could fetch it.

    Examples
    --------
    >>> launchers("git@github.com:ada/mlmon.git", "course/a.ipynb").split("](")[1].split(")")[0]
    'https://mybinder.org/v2/gh/ada/mlmon/HEAD?urlpath=lab/tree/course/a.ipynb'
    >>> launchers("/home/ada/mlmon", "course/a.ipynb")
    ''
    """
    found = re.search(r"github\.com[:/]([\w.-]+/[\w.-]+?)(?:\.git)?/?$", origin)
    if not found:
        return ""
    binder = f"https://mybinder.org/v2/gh/{found[1]}/HEAD?urlpath=lab/tree/{name}"
    colab = f"https://colab.research.google.com/github/{found[1]}/blob/HEAD/{name}"
    install = f'%pip install "mlmon[{COLAB}] @ git+https://github.com/{found[1]}"'
    return f"Run it without installing anything: in [Binder]({binder}); or in [Colab]({colab}), there with `{install}` in a first cell."


def _origin():
    """Where the repository was cloned from, as git knows it; empty without one."""
    try:
        return subprocess.run(["git", "config", "--get", "remote.origin.url"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    except FileNotFoundError:
        return ""


def speak_figures(cells):
    """Give each figure the words in italics below it as its alternative text.

    Parameters
    ----------
    cells : list of notebook cells
        Changed in place.

    Examples
    --------
    >>> import nbformat.v4 as v4
    >>> figure = v4.new_code_cell("draw()", outputs=[v4.new_output("display_data", {"image/png": ""})])
    >>> speak_figures([figure, v4.new_markdown_cell("*A red line\\nthat rises.*\\n\\n**Look.** It does.")])
    >>> figure.metadata["mystnb"]["image"]["alt"]
    'A red line that rises.'
    """
    for figure, below in zip(cells, cells[1:]):
        words = re.match(r"\*(?!\*)([^*]+)\*(?:\n\n|\Z)", below.source) if below.cell_type == "markdown" else None
        if words and any("image/png" in output.get("data", {}) for output in figure.get("outputs", [])):
            figure.metadata["mystnb"] = {"image": {"alt": " ".join(words[1].split())}}


def _reference(source, groups):
    """One page a module, grouped as the package is."""
    (source / "reference").mkdir()
    for name in modules():
        page = f"{name}\n{'=' * len(name)}\n\n.. automodule:: {name}\n   :members:\n"
        (source / "reference" / f"{name}.rst").write_text(page, encoding="utf-8")
    groups["Package"] = [f"reference/{name}.rst" for name in modules()]


def _contents(source, groups):
    """The front page is the README; each group has a page that lists it."""
    for caption, names in groups.items():
        entries = "\n".join(f"/{name.rpartition('.')[0]}" for name in names)
        page = f"# {caption}\n\n{_lead(caption)}\n\n```{{toctree}}\n:maxdepth: 1\n\n{entries}\n```\n"
        (source / f"{caption.lower()}.md").write_text(page, encoding="utf-8")
    tree = "\n".join(caption.lower() for caption in groups)
    front = (source / "README.md").read_text(encoding="utf-8")
    (source / "index.md").write_text(f"{front}\n```{{toctree}}\n:hidden:\n\n{tree}\n```\n", encoding="utf-8")
    (source / "README.md").unlink()
    (source / "conf.py").write_text(CONF, encoding="utf-8")


def _lead(caption):
    return {
        "Course": "Fifteen notebooks, each a question. The outputs are those of a run; sliders move in JupyterLab.",
        "Exercises": "As students get them: the tests that you see here help, the hidden ones grade.",
        "Guides": "The words, and how to teach with the course or work on it.",
        "Tables": "What was measured, what the data files hold, and what has changed.",
        "Package": "Every public name, from the docstrings; each example is run by the tests.",
    }[caption]


def formulas(app):
    """Have Sphinx draw formulas as pictures, by matplotlib: no script has to be fetched.

    Parameters
    ----------
    app : sphinx.application.Sphinx
    """
    from docutils import nodes

    def inline(writer, node):
        writer.body.append(_drawn(node.astext()))
        raise nodes.SkipNode

    def block(writer, node):
        writer.body.append(f'<p class="formula">{_drawn(node.astext())}</p>')
        raise nodes.SkipNode

    app.add_html_math_renderer("drawn", inline_renderers=(inline, None), block_renderers=(block, None))


# TeX's short names that matplotlib does not know.
_LONG = {"le": r"\leq", "ge": r"\geq", "dots": r"\ldots"}


def _drawn(formula):
    """A formula as an img element that a reader's voice can speak."""
    from matplotlib.mathtext import math_to_image

    picture = io.BytesIO()
    known = re.sub(r"\\(le|ge|dots)\b", lambda short: _LONG[short[1]], formula.strip())
    math_to_image(f"${known}$", picture, format="svg", color="#777777")
    code = base64.b64encode(picture.getvalue()).decode()
    return f'<img alt="{html.escape(formula)}" src="data:image/svg+xml;base64,{code}">'


def build(folder):
    """Build the site.

    Parameters
    ----------
    folder : pathlib.Path
        ``source`` and ``html`` are made under it.

    Returns
    -------
    int
        0 if Sphinx had nothing to warn of.
    """
    from sphinx.cmd.build import main

    lay_out(folder / "source")
    shutil.rmtree(folder / "html", ignore_errors=True)
    return main(["-q", "-W", "--keep-going", str(folder / "source"), str(folder / "html")])


if __name__ == "__main__":
    status = build(ROOT / "build" / "site")
    print(f"Open {ROOT / 'build' / 'site' / 'html' / 'index.html'}" if not status else "Sphinx has something to say: see above.")
    sys.exit(status)
