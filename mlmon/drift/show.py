"""Results as people read them: a verdict with its reason, and a table, as text and as HTML."""
from html import escape

from mlmon.drift.verdict import Verdict

COLOURS = {
    Verdict.DRIFTED: "background:#f8d7da;color:#5c1018",
    Verdict.UNDECIDED: "background:#fff3cd;color:#5c4700",
    Verdict.STABLE: "background:#e6f2e6;color:#1d4d1d",
}


def as_text(verdict, reason, heads, rows):
    """The verdict, then the rows below their heads, columns aligned.

    Examples
    --------
    >>> print(as_text("STABLE", "no more than chance", ("term", "value"), [("mix", "0.001")]))
    STABLE (no more than chance)
    term  value
    mix   0.001
    """
    return "\n".join([f"{verdict} ({reason})", *aligned([heads, *rows])])


def aligned(rows):
    """Rows of texts as lines, columns aligned."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]


def number(value):
    """A number in three digits, nothing for None."""
    return "" if value is None else "<0.0001" if 0 <= value < 1e-4 and value != 0 else f"{value:.3g}"


def as_html(verdict, reason, heads, rows):
    """The same as an HTML table, all text escaped."""
    cell = "<{0} style='text-align:left;vertical-align:top'>{1}</{0}>".format
    body = "".join("<tr>" + "".join(cell("td", escape(text)) for text in row) + "</tr>" for row in rows)
    return (
        f"<div><p><b style='{COLOURS[verdict]};padding:2px 6px'>{verdict}</b> {escape(reason)}</p>"
        f"<table><thead><tr>{''.join(cell('th', escape(head)) for head in heads)}</tr></thead><tbody>{body}</tbody></table></div>"
    )
