"""The cheat sheet, one page to pin up: ``python -m mlmon.sheet`` draws it into ``course/images``.

Which drift is it, what do I need to see it, which test, where does that test fail, and what do I do?
"""

import textwrap
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "course" / "images"
HEADS = ("What has changed?", "You need", "Watch with", "It fails when", "When it alarms", "Notebook")
WIDTHS = (24, 17, 34, 34, 38, 9)     # characters a line
ROWS = {
    "Data": [
        ("the inputs, P(x)", "features", "KS, chi-squared, PSI; many features: DataDriftDetector, one alpha for all",
         "100,000 rows: all is significant. Set min_effect to what would make you act", "Which feature? Is it broken or is it the world? Triage, not retraining", "01, 04"),
        ("the data are broken", "features, ranges", "ranges, missing share, new categories, frozen values, join rate",
         "a wrong value lies within its range", "Block the batch. Mend the source. Never train on it", "01, 13"),
    ],
    "Model": [
        ("what inputs mean, P(y given x)", "mature labels", "ConceptDriftDetector: metric with an interval, below baseline minus margin",
         "too few labels, or one class only: UNDECIDED", "Which slice? Then retrain, validate, canary", "02, 13"),
        ("how many are positive, P(y)", "labels, or scores", "label_drift; before labels BBSE or EM with its consistency check",
         "the classes look different too: the check refuses", "Move the threshold, recalibrate; retrain if it stays", "03"),
        ("the scores", "scores", "PredictionDriftDetector: shape, mean, spread, collapse, share above the threshold",
         "the model ignores what changed", "Look at inputs and release first", "03"),
        ("performance, before labels", "calibrated scores", "CBPE", "concept drift: it cannot see it", "Ask for a few labels now", "02"),
        ("a number that creeps", "one value at a time", "CUSUM, Page-Hinkley, ADWIN, set by average run length", "a rate too rare for its bound", "Date the start; look for a release", "04"),
    ],
    "System": [
        ("service is slow or fails", "requests", "SLO and burn rate in two windows", "no traffic: alert on absence", "Runbook: first step within a minute; roll back", "05, 06"),
        ("the monitor is silent", "its own clock", "freshness and absence alerts", "nobody watches Prometheus: a dead man's switch", "Trust no green panel until it runs", "06"),
    ],
    "Loop": [
        ("the model makes its own data", "what was shown, propensities", "Gini and coverage beside blind chance and organic demand; trend",
         "never-shown items are left out", "Explore with epsilon, log propensities, test with diverted arms", "07"),
        ("labels only of the chosen", "group and outcome", "rates by group, four-fifths ratio, calibration by group", "rejected people have no outcome", "Random slice, outside data, reasons for overrides", "08"),
        ("labels only where unsure", "a random audit slice", "accuracy on holdout and audit slice", "measured on what was queried", "Weights; keep the audit slice random", "09"),
    ],
}


def draw(folder=FOLDER):
    """Draw the sheet on a landscape page.

    Parameters
    ----------
    folder : path
        Where ``cheat_sheet.png`` and ``cheat_sheet.pdf`` are written.

    Returns
    -------
    list of pathlib.Path
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.69, 8.27))
    ax = figure.add_axes((0.02, 0.02, 0.96, 0.96))
    ax.set(xlim=(0, sum(WIDTHS) + 2 * len(WIDTHS)), ylim=(0, 1))
    ax.axis("off")
    ax.text(0, 0.985, "Which drift, which test, what to do", fontsize=17, va="top", weight="bold")
    lines = sum(_lines(row) for rows in ROWS.values() for row in rows)
    step = 0.87 / (lines + 0.55 * sum(map(len, ROWS.values())) + 1.5 * len(ROWS) + 1)
    y = _row(ax, HEADS, 0.925, step, weight="bold", color="#1f5aa0")
    for number, (group, rows) in enumerate(ROWS.items()):
        ax.axhspan(y - step * (sum(map(_lines, rows)) + 0.55 * len(rows) + 1.15), y - 0.1 * step, color="#f2f4f7" if number % 2 else "#ffffff", zorder=0)
        ax.text(0, y - 0.25 * step, group.upper(), fontsize=8, va="top", weight="bold", color="#8a8a8a")
        y -= 1.2 * step
        for row in rows:
            y = _row(ax, row, y, step) - 0.55 * step
        y -= 0.3 * step
    paths = [Path(folder) / f"cheat_sheet.{kind}" for kind in ("png", "pdf")]
    figure.savefig(paths[0], dpi=130, metadata={"Software": None})
    figure.savefig(paths[1], metadata={"CreationDate": None, "Producer": None, "Creator": None})
    return paths


def _wrapped(row):
    return [textwrap.wrap(text, width) for text, width in zip(row, WIDTHS)]


def _lines(row):
    return max(map(len, _wrapped(row)))


def _row(ax, row, y, step, **style):
    """Write one row; the height at which the next begins."""
    x = 0
    for place, (lines, width) in enumerate(zip(_wrapped(row), WIDTHS)):
        ax.text(x, y, "\n".join(lines), fontsize=8.2, va="top", linespacing=1.18, **{"weight": "bold" if place == 0 else "normal", **style})
        x += width + 2
    return y - step * _lines(row)


if __name__ == "__main__":
    for path in draw():
        print(path)
