"""The web site: complete, without a broken link, searchable, and sufficient unto itself."""

import html.parser
import subprocess
import sys
from pathlib import Path, PurePath
from urllib.parse import unquote, urlsplit

import pytest

from mlmon import doctor, site

CHROMIUM = doctor.program("chromium")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason=doctor.lack("chromium"))


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The site, built without a warning."""
    folder = tmp_path_factory.mktemp("site")
    code = "import sys, pathlib; from mlmon import site; sys.exit(site.build(pathlib.Path(sys.argv[1])))"
    told = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True)
    assert told.returncode == 0, told.stdout + told.stderr
    return folder / "html"


class Page(html.parser.HTMLParser):
    """What a page links to, and the names inside it that can be linked to."""

    def __init__(self, path):
        super().__init__()
        self.links, self.names = [], {""}
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.names |= {values[key] for key in ("id", "name") if values.get(key)}
        self.links += [values[key] for key in ("href", "src") if values.get(key)]


def test_a_link_to_what_the_site_holds_stays_and_another_becomes_words():
    held = {"course/a.ipynb", "README.md"}
    text = "[a](a.ipynb#two), [code](../mlmon/x.py), [top](../README.md), [far](https://example.org), ![p](p.png), [here](#one)"
    assert site.without_strangers(text, PurePath("course"), held) == \
        "[a](a.ipynb#two), code, [top](../README.md), [far](https://example.org), ![p](p.png), [here](#one)"


def test_a_clone_from_github_has_a_way_to_binder_and_colab_on_each_notebook_of_the_course(tmp_path, monkeypatch):
    # The address is the clone's own.
    monkeypatch.setattr(site, "_origin", lambda: "https://github.com/ada/mlmon")
    site.lay_out(tmp_path / "source")
    ways = ("mybinder.org/v2/gh/ada/mlmon", "research.google.com/github/ada/mlmon/blob")
    found = [path for path in (tmp_path / "source").rglob("*.ipynb") if all(way in path.read_text(encoding="utf-8") for way in ways)]
    assert len(found) == 15 and all(path.parent.name == "course" for path in found)


def test_every_notebook_exercise_and_public_module_has_a_page(built):
    wanted = [name for group in site.pages().values() for name in group] + [f"reference/{name}.x" for name in site.modules()]
    assert len(wanted) > 60
    assert [name for name in wanted if not (built / name).with_suffix(".html").exists()] == []


def test_no_solution_is_in_it(built):
    # A released exercise asks for an answer; a solution has one between these marks.
    told = [path for path in built.rglob("*") if path.is_file() and b"BEGIN SOLUTION" in path.read_bytes()]
    assert [path for path in told if "exercises" in path.parts] == []
    assert not list(built.rglob("solutions"))


def test_every_link_within_the_site_leads_to_a_page_and_a_place_on_it(built):
    pages = {path: Page(path) for path in built.rglob("*.html") if "_static" not in path.parts}
    broken = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            known = pages[target].names if target in pages else {unquote(parts.fragment)}
            if not target.is_file() or unquote(parts.fragment) not in known:
                broken.append((str(path.relative_to(built)), link))
    assert sum(len(page.links) for page in pages.values()) > 1000 and broken == []


@needs_chromium
def test_a_reader_without_a_network_reads_and_searches(built):
    from playwright.sync_api import expect, sync_playwright

    asked, errors = [], []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto((built / "index.html").as_uri())
        page.get_by_role("link", name="Course", exact=True).first.click()
        page.get_by_role("link", name="Has my data changed, or is it chance?").first.click()
        expect(page.locator("h1")).to_contain_text("Has my data changed, or is it chance?")
        pictures = page.locator("main img")
        assert pictures.count() >= 6 and pictures.first.evaluate("one => one.complete && one.naturalWidth > 100")
        page.set_viewport_size({"width": 1366, "height": 768})
        page.goto((built / "course" / "08_hiring_loop.html").as_uri())
        hidden = "all => all.filter(one => one.scrollWidth > one.clientWidth).map(one => one.textContent)"
        assert page.locator("div.cell_input pre").evaluate_all(hidden) == []       # code of 100 characters fits a laptop
        spoken = page.locator("div.cell_output img").evaluate_all("all => all.map(one => one.alt)")
        assert len(spoken) == 9 and min(map(len, spoken)) > 60                      # words, and no file name
        choice = page.locator("details").filter(has_text="that decisions follow it")
        expect(choice.get_by_text("Yes", exact=True)).to_be_hidden()     # no answer before the reader chooses
        choice.locator("summary").click()
        expect(choice.get_by_text("Yes", exact=True)).to_be_visible()
        page.goto((built / "search.html").as_uri() + "?q=wasserstein")
        expect(page.locator("#search-results")).to_contain_text("mlmon.drift.distance", timeout=30_000)
        browser.close()
    assert [url for url in asked if urlsplit(url).scheme not in ("file", "data", "blob")] == [] and errors == []
