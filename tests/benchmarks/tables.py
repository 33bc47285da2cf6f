"""Markdown tables, written between markers in the README beside this file."""

from pathlib import Path

README = Path(__file__).with_name("README.md")


def table(head, rows):
    """A Markdown table of strings; the first column to the left, the others to the right."""
    lines = ["| " + " | ".join(head) + " |", "|" + "|".join([":--"] + ["--:"] * (len(head) - 1)) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def write(name, text, path=README):
    """Replace what stands between ``<!-- name -->`` and ``<!-- /name -->``."""
    page = Path(path).read_text()
    first, last = f"<!-- {name} -->", f"<!-- /{name} -->"
    if page.count(first) != 1 or page.count(last) != 1:
        raise ValueError(f"{path} needs the markers {first} and {last} once each. Put them where the table goes.")
    before, rest = page.split(first)
    after = rest.split(last)[1]
    Path(path).write_text(f"{before}{first}\n{text.strip()}\n{last}{after}")


def seconds(value):
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s" if value < 10 else f"{value:.1f} s"


def ratio(value):
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def share(value):
    """A rate: .05, 0, 1."""
    text = f"{value:.3f}".rstrip("0").rstrip(".") if 0 < value < 1 else f"{value:.0f}"
    return text.removeprefix("0") if text.startswith("0.") else text
