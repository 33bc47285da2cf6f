"""Every figure of the course.

Each function takes arrays, frames, or results by attribute, draws one message
on `ax` (a new figure if there is none), writes `title` over it, which states the
finding, and returns the axes. Grey is the reference, blue the current data, red the
thing to look at. Grey is light and blue dark, so a print without colour reads
the same. Matplotlib is imported where it is used; no other module of mlmon is.
"""
import numpy as np

REFERENCE = "#b8b8b8"   # light: stays apart from blue in a grey print
CURRENT = "#1f5a9e"
LOOK = "#d62828"        # also set apart by label, marker or line style
INK = "#333333"
LINES = (CURRENT, "#8a8a8a", "#4fa3d1", "#5b5b5b", "#0b2545", "#b0b0b0")
DASHES = ("-", "-", "--", "--", ":", ":")
PAPER = {"boxstyle": "square,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.85}


# ------------------------------------------------------------------ one feature

def ks(reference, current, *, ax=None, title="", xlabel="value", names=("reference", "current")):
    """Two cumulative curves and the widest gap between them.

    Parameters
    ----------
    reference, current : array-like of finite numbers
    xlabel : str
        Quantity and unit.
    names : pair of str
        What the two samples are called.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> ax = ks([1, 2, 3, 4], [3, 4, 5, 6])
    >>> ax.texts[-1].get_text()
    'gap 0.50'
    """
    old, new = (np.sort(_numbers(v, n, "ks")) for v, n in zip((reference, current), names))
    ax = _axes(ax, title)
    every = np.unique(np.concatenate([old, new]))
    F, G = (np.searchsorted(s, every, side="right") / s.size for s in (old, new))
    low, high = _view(old, new)
    along = np.r_[min(low, every[0]), every, max(high, every[-1])]
    for heights, colour, width in ((F, REFERENCE, 3), (G, CURRENT, 2)):
        ax.step(along, np.r_[0, heights, 1], where="post", color=colour, lw=width)
    ax.fill_between(every, F, G, step="post", color=LOOK, alpha=0.09, lw=0)
    widest = np.argmax(np.abs(F - G))
    _name_curves(ax, old, new, F.mean() >= G.mean(), names, high - low, free_below=(F + G)[widest] > 0.8)
    ax.plot([every[widest]] * 2, [F[widest], G[widest]], color=LOOK, lw=2.5,
            marker="_", ms=9, mew=2.5, solid_capstyle="butt", zorder=4)
    side = 1 if every[widest] < (low + high) / 2 else -1
    ax.annotate(f"gap {abs(F - G)[widest]:.2f}", (every[widest], (F + G)[widest] / 2),
                (14 * side, -16 * side), textcoords="offset points", color=LOOK, weight="bold",
                ha="left" if side > 0 else "right", va="center", zorder=5, bbox=PAPER)
    ax.set(xlabel=xlabel, ylabel="share of rows at or below", xlim=(low, high), ylim=(-0.02, 1.04))
    return ax


def histograms(reference, current, *, bins=40, ax=None, title="", xlabel="value",
               names=("reference", "current")):
    """Two samples of one feature as shares of rows, on common bins.

    The view ends at the 0.5 % and 99.5 % quantiles of both together, so that
    one outlier does not squeeze the picture; what lies beyond is not drawn.

    Parameters
    ----------
    reference, current : array-like of finite numbers
    bins : int
        Number of equal bins in the view; whole numbers get bins of whole width.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> ax = histograms([1, 1, 2, 2], [1, 2, 2, 2], bins=2)
    >>> [float(bar.get_height()) for bar in ax.patches[:2]]
    [0.5, 0.5]
    """
    old, new = (_numbers(v, n, "histograms") for v, n in zip((reference, current), names))
    ax = _axes(ax, title)
    edges = _even_edges(old, new, bins)
    p, q = (np.histogram(s, edges)[0] / s.size for s in (old, new))
    ax.bar(edges[:-1], p, np.diff(edges), align="edge", color=REFERENCE)
    ax.stairs(q, edges, color=CURRENT, lw=2)
    ax.set(xlabel=xlabel, ylabel="share of rows", xlim=edges[[0, -1]], ylim=(0, 1.18 * max(p.max(), q.max())))
    _legend(ax, names)
    return ax


def shares(p, q, labels, *, ax=None, title="", xlabel="", mark=True, names=("reference", "current")):
    """Shares of each bin or level side by side, and which of them makes the PSI.

    The bin with the largest term ``(q - p) log(q / p)`` is edged red and named
    with its part of the whole. Where a bin is empty on one side alone, its term
    has no end, and the picture says so. A bin "missing" that is empty on both is
    left out.

    Parameters
    ----------
    p, q : array-like
        Shares of the reference and of the current data, each summing to one.
    labels : sequence
        One a bin.
    mark : bool
        Whether to mark the bin that makes the PSI.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> ax = shares([0.5, 0.5], [0.2, 0.8], ["card", "cash"])
    >>> ax.texts[0].get_text()
    'card adds 0.27\\nof PSI 0.42'
    """
    p, q = (_numbers(v, n, "shares") for v, n in zip((p, q), names))
    labels = [str(label) for label in labels]
    if not p.size == q.size == len(labels):
        raise ValueError(f"shares draws one pair of bars a label, got {p.size} and {q.size} shares "
                         f"for {len(labels)} labels. Pass as many of each.")
    ax = _axes(ax, title)
    shown = [i for i, label in enumerate(labels) if label != "missing" or p[i] or q[i]]
    p, q, labels = p[shown], q[shown], [labels[i] for i in shown]
    at = np.arange(p.size)
    ax.bar(at - 0.2, p, 0.4, color=REFERENCE)
    bars = ax.bar(at + 0.2, q, 0.4, color=CURRENT)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(p == q, 0.0, (q - p) * np.log(q / p))
    top = int(np.argmax(terms))
    if mark and terms[top] > 0:
        bars[top].set(edgecolor=LOOK, linewidth=2.5)
        total = terms.sum()
        words = (f"adds {terms[top]:.2f}\nof PSI {total:.2f}" if np.isfinite(total)
                 else "is empty on one\nside: no finite PSI")
        ax.text(0.01, 0.98, f"{labels[top]} {words}", color=LOOK, weight="bold", va="top",
                transform=ax.transAxes)
    long = sum(map(len, labels)) > 9 * ax.figure.get_figwidth() * ax.get_position().width
    ax.set_xticks(at, labels, rotation=35 if long else 0, ha="right" if long else "center")
    ax.set(xlabel=xlabel, ylabel="share of rows", xlim=(-0.6, p.size - 0.4),
           ylim=(0, 1.35 * max(p.max(), q.max())))
    _legend(ax, names)
    return ax


def pairs(reference, current, x, y, *, ax=None, title="", units=("", ""), log=False, most=600):
    """Two features against each other, for each sample, with line and correlation.

    Parameters
    ----------
    reference, current : DataFrame
    x, y : str
        Two numeric columns.
    log : bool
        Whether both axes, and the correlation, are logarithmic.
    most : int
        Points drawn of each sample: the first so many rows.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import pandas as pd
    >>> a = pd.DataFrame({"u": [1, 2, 3, 4], "v": [1, 2, 3, 4]})
    >>> ax = pairs(a, a.assign(v=[4, 3, 2, 1]), "u", "v")
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['reference: correlation 1.00', 'current: correlation -1.00']
    """
    ax = _axes(ax, title)
    there, back = (np.log, np.exp) if log else (np.asarray, np.asarray)
    marks = ((reference, "reference", "#9a9a9a", "o"), (current, "current", CURRENT, "x"))
    for frame, name, colour, mark in marks:
        u, v = there(frame[x]), there(frame[y])
        r = np.corrcoef(u, v)[0, 1]
        ends = np.quantile(u, [0.02, 0.98])
        ax.plot(back(ends), back(v.mean() + r * v.std() / u.std() * (ends - u.mean())),
                color="#6f6f6f" if mark == "o" else colour, lw=2.5, zorder=3)
        part = frame[:most]
        ax.scatter(part[x], part[y], s=14, c=colour, marker=mark, alpha=0.6,
                   linewidths=0.9 if mark == "x" else 0, label=f"{name}: correlation {r:.2f}")
    left, right = back(_view(there(reference[x]), there(current[x])))
    low, high = _view(there(reference[y]), there(current[y]))
    if log:
        _log_axis(ax, "x")
        _log_axis(ax, "y")
    ax.set(xlabel=_unit(x, units[0]), ylabel=_unit(y, units[1]), xlim=(left, right),
           ylim=back(np.array([low, high + 0.14 * (high - low)])))
    ax.legend(frameon=False, ncols=2, loc="upper center", handletextpad=0.2, fontsize=9, borderpad=0.1)
    return ax


# --------------------------------------------------------- many draws, many sizes

def null(values, *, limits=None, observed=None, ax=None, title="", xlabel="statistic", bins=40):
    """What a statistic does when nothing has changed, against its limits.

    Parameters
    ----------
    values : array-like
        The statistic on many draws without drift.
    limits : dict of str to float
        Thresholds by name. Each is drawn with the share of the draws that pass it.
    observed : float, optional
        Today's value, in red.
    bins : int, or array-like of edges

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> ax = null([0.1, 0.2, 0.3, 0.4], limits={"customary": 0.25})
    >>> ax.texts[0].get_text()
    'customary 0.25:\\npassed by 50 %'
    """
    values = _numbers(values, "values", "null")
    limits = dict(limits or {})
    ax = _axes(ax, title)
    marks = list(limits.values()) + ([] if observed is None else [observed])
    low = min(values.min(), *marks, values.max())
    high = max(np.quantile(values, 0.998), *marks, values.min())
    high += 0.12 * (high - low)
    edges = np.linspace(low, high, bins + 1) if np.ndim(bins) == 0 else bins
    ax.hist(values, edges, color=REFERENCE, edgecolor="white", lw=0.3,
            weights=np.full(values.size, 1 / values.size))
    ax.set(xlabel=xlabel, ylabel="share of clean draws", xlim=(low, high))
    top = ax.get_ylim()[1]
    ax.set_ylim(0, top * (1.05 + 0.2 * len(limits)))
    for i, (name, limit) in enumerate(limits.items()):
        ax.axvline(limit, color=INK, ls="--", lw=1.4)
        height = top * (1.03 + 0.2 * (len(limits) - 1 - i))
        left = limit > low + 0.4 * (high - low)
        ax.annotate(f"{name} {limit:.2f}:\npassed by {_percent(np.mean(values > limit))}",
                    (limit, height), (-5 if left else 5, 0), textcoords="offset points",
                    ha="right" if left else "left", va="bottom", fontsize=9, color=INK, bbox=PAPER)
    if observed is not None:
        ax.plot(observed, 0, marker="v", ms=11, color=LOOK, clip_on=False, zorder=5)
        ax.annotate(f"today {observed:.2f}", (observed, 0), (0, 10), textcoords="offset points",
                    ha="center", va="bottom", color=LOOK, weight="bold", bbox=PAPER)
    return ax


def pvalues(values, *, alpha=0.05, ax=None, title=""):
    """A histogram of p-values in steps of 0.05, the ones below `alpha` in red.

    On clean data every bar is alike. The dashed line is that height.

    Parameters
    ----------
    values : array-like of numbers between 0 and 1

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> ax = pvalues([0.01, 0.3, 0.6, 0.9])
    >>> ax.texts[0].get_text()
    '25 % below 0.05'
    """
    values = _numbers(values, "values", "pvalues")
    ax = _axes(ax, title)
    edges = np.linspace(0, 1, 21)
    heights = np.histogram(values, edges)[0] / values.size
    ax.bar(edges[:-1], heights, 0.05, align="edge", edgecolor="white", lw=0.5,
           color=np.where(edges[:-1] < alpha - 1e-9, LOOK, REFERENCE))
    ax.axhline(0.05, color=INK, ls="--", lw=1.4)
    top = max(heights.max(), 0.07)
    ax.annotate(f"{_percent(np.mean(values < alpha))} below {alpha:g}", (0, 1.04 * top), (3, 0),
                textcoords="offset points", color=LOOK, weight="bold", va="bottom")
    ax.text(1, 1.04 * top, "dashed: if nothing ever changed", ha="right", va="bottom", color=INK, fontsize=9)
    ax.set(xlabel="p-value", ylabel="share of comparisons", xlim=(0, 1), ylim=(0, 1.15 * top))
    return ax


def curves(frame, *, look=None, level=None, ax=None, title="", xlabel=None, ylabel="", ylim=None, log=False):
    """One curve a column over the frame's index, each labelled at its end.

    Power by size of the drift, false alarms by number of features, a p-value
    by number of rows: whatever has a curve.

    Parameters
    ----------
    frame : DataFrame
        The index is the x axis, its name the label. One column a curve.
    look : str, optional
        The column to draw in red.
    level : float or pair of (float, str), optional
        A horizontal limit, with its name.
    ylim : pair of float, optional
        Ends of the y axis. Set here and not afterwards, the names at the curves' ends stay apart.
    log : bool
        Whether the x axis is logarithmic.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import pandas as pd
    >>> power = pd.DataFrame({"KS": [0.1, 0.9], "PSI": [0.0, 0.2]}, index=[100, 1000])
    >>> ax = curves(power, look="PSI", level=(0.05, "alpha"))
    >>> [text.get_text() for text in ax.texts]
    ['KS', 'PSI', 'alpha 0.05']
    """
    ax = _axes(ax, title)
    x = frame.index.to_numpy(dtype=float)
    if log:
        _log_axis(ax, "x")
    for i, column in enumerate(frame.columns):
        colour = LOOK if column == look else LINES[i % len(LINES)]
        ax.plot(x, frame[column], color=colour, ls=DASHES[i % len(DASHES)], lw=2.2,
                marker="o" if x.size <= 15 else None, ms=4, zorder=3, label=str(column))
    ends = [(str(c), float(frame[c].dropna().iloc[-1]), line.get_color()) for c, line in zip(frame, ax.lines)]
    if level is not None:
        height, name = level if isinstance(level, tuple) else (level, "limit")
        ax.axhline(height, color=INK, ls="--", lw=1.2, zorder=1)
        ends.append((f"{name} {height:g}", height, INK))
    if ylim is not None:
        ax.set_ylim(ylim)
    if not log and np.issubdtype(frame.index.dtype, np.integer):
        ax.xaxis.get_major_locator().set_params(integer=True)       # there is no round 2.5
    low, high = ax.get_ylim()
    for (name, _, colour), place in zip(ends, _apart([end for _, end, _ in ends], 0.07 * (high - low))):
        ax.annotate(name, (1.02, place), xycoords=("axes fraction", "data"), color=colour, va="center",
                    fontsize=9, weight="bold" if name == look else "normal", annotation_clip=False)
    ax.set(xlabel=xlabel or frame.index.name or "", ylabel=ylabel, xlim=(x[0], x[-1]))
    return ax


def heatmap(frame, *, ax=None, title="", xlabel="", ylabel="", low=0.0, high=1.0, form="{:.2f}"):
    """A table of numbers as shades, dark for high, each number written in its cell.

    Parameters
    ----------
    frame : DataFrame
        One row and one column a cell's two names; all cells numbers.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import pandas as pd
    >>> ax = heatmap(pd.DataFrame([[0.05, 0.91]], index=["KS"], columns=["none", "mean"]))
    >>> [text.get_text() for text in ax.texts]
    ['0.05', '0.91']
    """
    ax = _axes(ax, title)
    values = frame.to_numpy(dtype=float)
    ax.imshow(values, cmap=_shades(), vmin=low, vmax=high, aspect="auto")
    for (i, j), value in np.ndenumerate(values):
        dark = (value - low) / (high - low) > 0.5       # there white and ink stand out alike
        ax.text(j, i, "" if np.isnan(value) else form.format(value), ha="center", va="center",
                color="white" if dark else INK, fontsize=9)
    ax.set_xticks(range(values.shape[1]), [str(c) for c in frame.columns])
    ax.set_yticks(range(values.shape[0]), [str(r) for r in frame.index])
    ax.set(xlabel=xlabel, ylabel=ylabel)
    for between, count in ((ax.axvline, values.shape[1]), (ax.axhline, values.shape[0])):
        for place in range(1, count):
            between(place - 0.5, color="white", lw=2)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    return ax


def shown(shares, *, size=1, start=None, ax=None, title="", xlabel="person", ylabel="items, best on top"):
    """Which items were shown when: one row an item, one column a stretch of slates, darker where it was on more of them.

    Parameters
    ----------
    shares : array-like of shape (stretches, items)
        The share of a stretch's slates that hold the item, from 0 to 1, items in the order of their rows.
    size : int
        Slates a stretch, for the x axis.
    start : float, optional
        From where on somebody else chooses, as a red line.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> ax = shown([[0.5, 0.5], [1.0, 0.0]], size=100, start=100)
    >>> ax.get_xlim(), ax.images[0].get_array().shape
    ((np.float64(0.0), np.float64(200.0)), (2, 2))
    """
    shares = np.atleast_2d(np.asarray(shares, dtype=float))
    ax = _axes(ax, title)
    stretches, items = shares.shape
    ax.imshow(shares.T ** 0.5, cmap=_shades(), vmin=0, vmax=1, aspect="auto", interpolation="nearest",
              extent=(0, stretches * size, items + 0.5, 0.5))       # the root, so that rare items are seen at all
    if start is not None:
        ax.axvline(start, color=LOOK, lw=1.8)
    ax.locator_params(axis="x", nbins=3)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    return ax


def points(frame, x, y, *, xlimit=None, ylimit=None, ax=None, title="", xlabel=None, ylabel=None):
    """One labelled point a row; those beyond `ylimit` are red.

    Parameters
    ----------
    frame : DataFrame
        The index names the points.
    x, y : str
        Columns for the two axes.
    xlimit, ylimit : float, optional
        Thresholds, drawn as dashed lines.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import pandas as pd
    >>> faults = pd.DataFrame({"psi": [0.5, 0.1], "harm": [0.0, 0.2]}, index=["height", "income"])
    >>> ax = points(faults, "psi", "harm", xlimit=0.2, ylimit=0.05)
    >>> [text.get_text() for text in ax.texts]
    ['income', 'height']
    """
    ax = _axes(ax, title)
    for limit, line in ((xlimit, ax.axvline), (ylimit, ax.axhline)):
        if limit is not None:
            line(limit, color=INK, ls="--", lw=1.2)
    beyond = frame[y] > (np.inf if ylimit is None else ylimit)
    width, height = (np.ptp(frame[column]) or 1.0 for column in (x, y))
    last = (-np.inf, -np.inf, False)
    for name in frame.sort_values(x).index:
        a, b, red = frame.loc[name, x], frame.loc[name, y], beyond[name]
        close = (a - last[0]) < 0.25 * width and abs(b - last[1]) < 0.12 * height
        below, left = close and not last[2], a > frame[x].min() + 0.7 * width
        ax.plot(a, b, "D" if red else "o", color=LOOK if red else CURRENT, ms=8)
        ax.annotate(str(name), (a, b), (-6 if left else 6, -8 if below else 8), textcoords="offset points",
                    fontsize=9, color=LOOK if red else INK, ha="right" if left else "left",
                    va="top" if below else "bottom", bbox=PAPER)
        last = a, b, below
    ax.margins(0.1, 0.18)
    ax.set(xlabel=xlabel or x, ylabel=ylabel or y)
    return ax


# ------------------------------------------------------------- reports and time

def report(result, *, ax=None, title="", alpha=0.05):
    """A drift report: one bar a feature, longer where the evidence is stronger.

    The length is the corrected p-value on a log scale, to ten zeros. Bars that cross the
    dashed line at `alpha` have drifted and are red; a feature without a verdict
    is written in words and has no bar. Pairs that go together otherwise than
    before have a bar as well.

    Parameters
    ----------
    result : object
        Has `features`, each with `feature`, `corrected_pvalue`, `severity`,
        `verdict` and `reason`; and may have `pairs` of (name, name, p-value).

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> from types import SimpleNamespace as Row
    >>> day = Row(features=[Row(feature="age", corrected_pvalue=0.4, severity="none",
    ...                         verdict="STABLE", reason=""),
    ...                     Row(feature="income", corrected_pvalue=1e-6, severity="large",
    ...                         verdict="DRIFTED", reason="")])
    >>> [label.get_text() for label in report(day).get_yticklabels()]
    ['age', 'income']
    """
    ax = _axes(ax, title)
    rows = [(row.feature, row.corrected_pvalue, str(getattr(row.verdict, "value", row.verdict)).upper(),
             row.severity, row.reason) for row in result.features]
    rows += [(f"{a} with {b}", p, "DRIFTED", "pair", "") for a, b, p in getattr(result, "pairs", ()) if p <= alpha]
    rows.sort(key=lambda row: _evidence(row[1]))
    for place, (_, p, verdict, size, reason) in enumerate(rows):
        red = verdict == "DRIFTED"
        ax.barh(place, _evidence(p), 0.62, color=LOOK if red else REFERENCE)
        text = f"{size}, p {_pvalue(p)}" if red else f"undecided: {reason}" if verdict == "UNDECIDED" else ""
        ax.annotate(text, (_evidence(p), place), (5, 0), textcoords="offset points", va="center", fontsize=9,
                    color=LOOK if red else INK, weight="bold" if red else "normal", bbox=PAPER if text else None)
    longest = 1.3 * max(-np.log10(alpha), *(_evidence(row[1]) for row in rows))
    ax.axvline(-np.log10(alpha), color=INK, ls="--", lw=1.4)
    ax.annotate(f"alpha {alpha:g}", (-np.log10(alpha), 0.01), (4, 0), color=INK, fontsize=9, va="bottom",
                xycoords=("data", "axes fraction"), textcoords="offset points")
    ax.set_yticks(range(len(rows)), [str(row[0]) for row in rows])
    ax.set(xlim=(0, longest), xlabel="evidence: zeros in the corrected p-value")
    ax.tick_params(axis="y", length=0)
    return ax


def timeline(times, values, *, limits=(None, None), start=None, ax=None, title="", ylabel="", xlabel="",
             when="{:g}".format):
    """One number over time, its limits, and the first time that it left them.

    Parameters
    ----------
    times, values : array-like of the same length
        Missing values leave a gap.
    limits : pair of (low, high)
        Either may be None.
    start : float, optional
        When the fault began: a dotted line.
    when : callable
        Turns a time into the text of the first alarm's label.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> ax = timeline([1, 2, 3], [10, 30, 40], limits=(None, 25), when="day {:g}".format)
    >>> ax.texts[-1].get_text()
    'day 2'
    """
    times, values = np.asarray(times, dtype=float), np.asarray(values, dtype=float)
    ax = _axes(ax, title)
    low, high = (-np.inf if limits[0] is None else limits[0], np.inf if limits[1] is None else limits[1])
    ax.plot(times, values, color=CURRENT, lw=1.8, marker="o" if times.size <= 31 else None, ms=3)
    for limit in (low, high):
        if np.isfinite(limit):
            ax.axhline(limit, color=INK, ls="--", lw=1.2)
    if start is not None:
        ax.axvline(start, color=INK, ls=":", lw=1.4)
    out = np.flatnonzero((values < low) | (values > high))
    ax.plot(times[out], values[out], "D", color=LOOK, ms=5 if times.size <= 60 else 2.5, ls="none")
    ax.margins(0.02, 0.35)
    if out.size:
        time, value = times[out[0]], values[out[0]]
        above = value > high
        ax.annotate(when(time), (time, value), (-7, 2 if above else -2), textcoords="offset points",
                    color=LOOK, weight="bold", ha="right", va="bottom" if above else "top", zorder=5, bbox=PAPER)
    ax.set(ylabel=ylabel, xlabel=xlabel)
    return ax


def windows(result, *, start=None, ax=None, title="", ylabel=None, xlabel="window", truth=None):
    """A metric with its interval in each window, over the band of the baseline.

    Windows that drifted are red diamonds. A window without a value is a cross on the floor.

    Parameters
    ----------
    result : object
        Has `baseline` with `value`, `low` and `high`, and `windows`, each with `value`, `low`, `high` and
        `verdict`; `metric` is the label of the axis if `ylabel` is not given.
    start : float, optional
        The window in which the fault began: a dotted line before it.
    truth : array-like, optional
        What came true in each window, as open circles.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> from types import SimpleNamespace as Row
    >>> day = Row(metric="auc", baseline=Row(value=0.8, low=0.78, high=0.82), windows=[
    ...     Row(value=0.79, low=0.74, high=0.84, verdict="STABLE"), Row(value=0.6, low=0.55, high=0.65, verdict="DRIFTED")])
    >>> [text.get_text() for text in windows(day).texts]
    ['baseline 0.8']
    """
    ax = _axes(ax, title)
    base, rows = result.baseline, list(result.windows)
    ax.axhspan(base.low, base.high, color=REFERENCE, alpha=0.45, lw=0)
    ax.axhline(base.value, color="#7a7a7a", lw=1.4)
    for place, row in enumerate(rows):
        red = str(getattr(row.verdict, "value", row.verdict)).upper() == "DRIFTED"
        if row.value is None:
            ax.plot(place, 0.03, "x", color=INK, ms=7, transform=ax.get_xaxis_transform())
            continue
        colour = LOOK if red else CURRENT
        ax.plot([place, place], [row.low, row.high], color=colour, lw=2, solid_capstyle="butt")
        ax.plot(place, row.value, "D" if red else "o", color=colour, ms=6)
    if truth is not None:
        ax.plot(range(len(rows)), truth, "o", mfc="none", mec=INK, mew=1.4, ms=8, ls="none")
    if start is not None:
        ax.axvline(start - 0.5, color=INK, ls=":", lw=1.4)
    ax.annotate(f"baseline {base.value:.2g}", (1.01, base.value), xycoords=("axes fraction", "data"), color="#6a6a6a",
                va="center", fontsize=9, annotation_clip=False)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set(xlabel=xlabel, ylabel=ylabel or getattr(result, "metric", ""), xlim=(-0.7, len(rows) - 0.3))
    return ax


def terms(result, *, look=None, ax=None, title="", xlabel="mean loss"):
    """A change in steps: from the mean before, one bar a term, to the mean after.

    Parameters
    ----------
    result : object
        Has `before`, `after` and `terms`, each with `name`, `value` and `se`. Whiskers are two standard errors.
    look : str, optional
        The term to draw in red; its `dominant` one, if it has any and none is named.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> from types import SimpleNamespace as Row
    >>> split = Row(before=0.1, after=0.4, dominant=None, terms=[Row(name="mix", value=0.1, se=0.01),
    ...                                                          Row(name="concept", value=0.2, se=0.01)])
    >>> [label.get_text() for label in terms(split).get_yticklabels()]
    ['before', 'mix', 'concept', 'after']
    """
    ax = _axes(ax, title)
    look = getattr(result, "dominant", None) if look is None else look
    names = ["before", *(term.name for term in result.terms), "after"]
    ax.barh([0, len(names) - 1], [result.before, result.after], color=[REFERENCE, CURRENT], height=0.6)
    at, most = result.before, max(result.before, result.after)
    for place, term in enumerate(result.terms, start=1):
        colour = LOOK if term.name == look else LINES[1]
        ax.barh(place, term.value, left=at, color=colour, height=0.6)
        ax.plot([at, at], [place - 1.3, place + 0.3], color=INK, lw=0.8)
        at += term.value
        ax.errorbar(at, place, xerr=2 * term.se, color=INK, lw=1.2, capsize=3)
        end = max(at + 2 * term.se, at - term.value)
        most = max(most, end)
        ax.annotate(f"{term.value:+.3f}", (end, place), (6, 0), textcoords="offset points", va="center",
                    color=colour if term.name == look else INK, weight="bold" if term.name == look else "normal")
    ax.plot([at, at], [len(names) - 2.3, len(names) - 0.7], color=INK, lw=0.8)
    for place, value in ((0, result.before), (len(names) - 1, result.after)):
        ax.annotate(f"{value:.3f}", (value, place), (6, 0), textcoords="offset points", va="center", color=INK)
    ax.set_yticks(range(len(names)), names)
    ax.invert_yaxis()
    ax.set(xlabel=xlabel, xlim=(0, 1.25 * most))
    ax.grid(axis="y", visible=False)
    return ax


def layers(numbers, limits, *, start=None, axes=None, xlabel="", when="{:g}".format):
    """One panel a layer over a common clock, with each layer's first alarm.

    Parameters
    ----------
    numbers : DataFrame, or dict of str to Series
        The index is time; one series a layer, drawn from top to bottom. Its
        name is the panel's title. Layers may differ in how often they speak.
    limits : dict of str to (low, high)
        By name; either may be None.
    start : float, optional
        When the fault began: a dotted line.
    when : callable
        Turns a time into the text of an alarm's label.

    Returns
    -------
    ndarray of matplotlib.axes.Axes

    Examples
    --------
    >>> import pandas as pd
    >>> day = pd.DataFrame({"model": [0.9, 0.9, 0.7], "system": [1, 9, 9]}, index=[8, 9, 10])
    >>> axes = layers(day, {"model": (0.8, None), "system": (None, 5)}, when="{:g}:00".format)
    >>> [ax.texts[-1].get_text() for ax in axes]
    ['10:00', '9:00']
    """
    import matplotlib.pyplot as plt
    if axes is None:
        _, axes = plt.subplots(len(numbers.keys()), 1, sharex=True, layout="constrained", dpi=110,
                               figsize=(6.5, 0.5 + 1.25 * len(numbers.keys())), squeeze=False)
        axes = axes[:, 0]
    for ax, (name, series) in zip(axes, numbers.items()):
        timeline(series.index, series, limits=limits.get(name, (None, None)), start=start, ax=ax, when=when)
        ax.set_title(name, loc="left", fontsize=10, weight="bold", color=INK)
        if not ax.texts:
            ax.set_title("no alarm", loc="right", fontsize=10, color="#7a7a7a")
    axes[-1].set_xlabel(xlabel)
    return axes


def dashboard(json, prometheus, *, seconds=300.0, end=None, start=None, title="", width=12.0):
    """A dashboard drawn from the very JSON that Grafana gets, with the numbers of a real Prometheus.

    Panels stand where their `gridPos` says. A line beyond its panel's threshold is
    red, and so is a panel without data.

    Parameters
    ----------
    json : dict
        Of Grafana: rows, and panels of type "timeseries" or "stat" with PromQL targets.
    prometheus : str or callable
        Address of the server, or ``f(promql, start, end, step)`` that gives a list of
        (labels, times, values), times in seconds since 1970.
    seconds : float
        How far back to look.
    end : float, optional
        Until when, in seconds since 1970; by default now.
    start : float, optional
        When the fault began: a dotted line.
    width : float
        Inches.

    Returns
    -------
    dict of str to matplotlib.axes.Axes
        By panel title.

    Examples
    --------
    >>> panel = {"type": "stat", "title": "Up", "gridPos": {"x": 0, "y": 0, "w": 24, "h": 8},
    ...          "targets": [{"expr": "up", "legendFormat": "{{job}}"}]}
    >>> axes = dashboard({"panels": [panel]}, lambda *_: [({"job": "scoring"}, [1.0], [1.0])], end=1.0)
    >>> [text.get_text() for text in axes["Up"].texts]
    ['1', 'scoring']
    """
    import time

    import matplotlib.pyplot as plt
    ask = prometheus if callable(prometheus) else _server(prometheus)
    end = time.time() if end is None else end
    drawn = [panel for panel in json["panels"] if panel["type"] in ("timeseries", "stat")]
    inch = width / 24, 0.235                       # of one step of Grafana's page
    rows = max((p["gridPos"]["y"] + p["gridPos"]["h"] for p in json["panels"]), default=1)
    height = rows * inch[1] + 0.45
    figure = plt.figure(figsize=(width, height), dpi=100)
    figure.suptitle(title or json.get("title", ""), x=0.1 / width, y=1 - 0.1 / height, ha="left", va="top", fontsize=13, color=INK)
    axes = {}
    for panel in json["panels"]:
        at = panel["gridPos"]
        left, top = at["x"] * inch[0], height - 0.45 - at["y"] * inch[1]
        if panel["type"] == "row":
            figure.text((left + 0.1) / width, (top - 0.02) / height, panel["title"], va="top", weight="bold", color=CURRENT, fontsize=11)
        if panel not in drawn:
            continue
        box = ((left + 0.52) / width, (top - at["h"] * inch[1] + 0.3) / height,
               (at["w"] * inch[0] - 0.68) / width, (at["h"] * inch[1] - 0.66) / height)
        ax = axes[panel["title"]] = figure.add_axes(box)
        ax.set_title(panel["title"], fontsize=9.5, loc="left", color=INK)
        lines = [(_legend_of(target, labels), times, values) for target in panel["targets"]
                 for labels, times, values in ask(target["expr"], end - seconds, end, max(seconds / 150, 0.05))]
        (_stat if panel["type"] == "stat" else _lines)(ax, lines, panel, end, seconds, start)
    return axes


def panels(count, *, sharey=False, width=3.2, height=3.0):
    """Axes side by side, to draw several pictures with the same message.

    Parameters
    ----------
    count : int
    sharey : bool
        Whether the pictures have one height axis.
    width, height : float
        Of one panel, in inches.

    Returns
    -------
    ndarray of matplotlib.axes.Axes

    Examples
    --------
    >>> left, right = panels(2)
    >>> _ = ks([1, 2], [2, 3], ax=left), ks([1, 2], [5, 6], ax=right)
    """
    import matplotlib.pyplot as plt
    _, axes = plt.subplots(1, count, figsize=(width * count, height), sharey=sharey, dpi=110,
                           layout="constrained", squeeze=False)
    for ax in axes[0]:
        _dress(ax)
    return axes[0]


# ----------------------------------------------------------------------- drawing

def _axes(ax, title):
    if ax is None:
        import matplotlib.pyplot as plt
        _, ax = plt.subplots(figsize=(6, 3.5), dpi=110, layout="constrained")
    if title:
        ax.set_title(title)
    return _dress(ax)


def _dress(ax):
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color("#777777")
    ax.tick_params(color="#777777", labelcolor=INK, labelsize=9)
    for label in (ax.xaxis.label, ax.yaxis.label):
        label.set(color=INK, fontsize=10)
    ax.title.set(fontsize=11)
    return ax


def _shades():
    from matplotlib.colors import LinearSegmentedColormap
    return LinearSegmentedColormap.from_list("course", ["#f4f4f4", "#9cc3e6", CURRENT, "#0b2545"])


def _numbers(values, name, what):
    array = np.asarray(values, dtype=float).ravel()
    if array.size == 0:
        raise ValueError(f"{what} draws at least one number, got an empty {name}. Pass some rows.")
    if not np.isfinite(array).all():
        bad = int((~np.isfinite(array)).sum())
        raise ValueError(f"{what} draws finite numbers, got {bad} missing or infinite in {name}. "
                         "Leave them out, and count them apart.")
    return array


def _view(old, new):
    """Limits of a picture that no outlier can squeeze."""
    both = np.concatenate([old, new])
    low, high = np.quantile(both, [0.005, 0.995])
    pad = 0.03 * (high - low) or 0.5
    return low - pad, high + pad


def _even_edges(old, new, bins):
    low, high = _view(old, new)
    if all(np.array_equal(s, np.round(s)) for s in (old, new)) and high - low > 1.1:
        step = max(1, round((high - low) / bins))
        return np.arange(np.ceil(low) - 0.5, high + step, step)
    return np.linspace(low, high, bins + 1)


def _name_curves(ax, old, new, old_left, names, width, free_below):
    """Write each curve's name on its outer side: left one high up, right one low down."""
    level = 0.16 if free_below else 0.62
    left, right = ((old, new) if old_left else (new, old))
    colours = ("#7a7a7a", CURRENT) if old_left else (CURRENT, "#7a7a7a")
    first, second = names if old_left else names[::-1]
    ax.text(np.quantile(left, 0.86) - 0.02 * width, 0.88, first, color=colours[0], ha="right", va="bottom")
    ax.text(np.quantile(right, level) + 0.03 * width, level - 0.03, second, color=colours[1], ha="left", va="top")


def _legend(ax, names):
    for place, (name, colour) in enumerate(zip(names, ("#7a7a7a", CURRENT))):
        ax.text(0.99, 0.97 - 0.085 * place, name, color=colour, ha="right", va="top",
                transform=ax.transAxes)


def _log_axis(ax, which):
    """A logarithmic axis with plain numbers at 1, 3, 10, 30 and so on."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
    getattr(ax, f"set_{which}scale")("log")
    axis = getattr(ax, f"{which}axis")
    axis.set_major_locator(LogLocator(subs=(1, 3)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.12g}"))


def _apart(heights, least):
    """The same heights, moved as little as needed to be `least` apart."""
    order = np.argsort(heights, kind="stable")
    placed = np.array(heights, dtype=float)
    for _ in range(50):
        for below, above in zip(order, order[1:]):
            lack = least - (placed[above] - placed[below])
            if lack > 1e-12:
                placed[below] -= lack / 2
                placed[above] += lack / 2
    return placed


def _lines(ax, lines, panel, end, seconds, start):
    """A panel of lines over the time before its end; the three highest at the end are named."""
    scale, unit = next((size, name) for size, name in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")) if seconds >= 3 * size or size == 1)
    form, limit = _form(panel), _threshold(panel)
    _dress(ax)
    ax.tick_params(labelsize=7.5)
    lines = sorted(lines, key=lambda line: -line[2][-1] if len(line[2]) else 0.0)
    for place, (name, times, values) in enumerate(lines):
        beyond = limit is not None and len(values) > 0 and _beyond(panel, values[-1], limit)
        ax.plot((np.asarray(times) - end) / scale, values, lw=1.5, color=LOOK if beyond else LINES[place % len(LINES)],
                ls=DASHES[place % len(DASHES)], label=name if place < 3 else None)
    if limit is not None:
        ax.axhline(limit, color=INK, ls="--", lw=1.0)
    if start is not None:
        ax.axvline((start - end) / scale, color=INK, ls=":", lw=1.2)
    if len(lines) > 3:
        ax.plot([], [], lw=0, label=f"and {len(lines) - 3} more")
    if lines:
        low, high = ax.get_ylim()
        low, high = min(low, 0.0), max(high, 1e-9)
        if np.isclose(high, low) or not any(np.any(line[2]) for line in lines) and limit is None:
            high = 1.0
        ax.set_ylim(low if any(np.min(line[2], initial=0.0) < 0 for line in lines) else 0.0, high + 0.35 * (high - low))
        short = all(len(name) <= 18 for name, *_ in lines[:3])          # else two columns run into the next panel
        ax.legend(fontsize=6.5, loc="upper left", ncols=2 if len(lines) > 2 and short else 1, frameon=True, framealpha=0.85, edgecolor="none",
                  handlelength=1.4, columnspacing=0.8, labelspacing=0.2, borderpad=0.1)
    else:
        _no_data(ax)
    ax.yaxis.set_major_formatter(lambda value, _: form(value))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g} {unit}")
    ax.locator_params(axis="both", nbins=4)
    ax.set_xlim(-seconds / scale, 0)


def _stat(ax, lines, panel, *_):
    """A panel of numbers: the newest of each line."""
    ax.set_axis_off()
    form, limit = _form(panel), _threshold(panel)
    for place, (name, _times, values) in enumerate(lines[:3]):
        height = 1 - (place + 0.5) / min(len(lines), 3)
        colour = LOOK if limit is not None and _beyond(panel, values[-1], limit) else CURRENT
        ax.text(0.3, height, form(values[-1]), ha="right", va="center", fontsize=15, weight="bold", color=colour)
        ax.text(0.34, height, name, ha="left", va="center", fontsize=7.5, color=INK, wrap=True)
    if not lines:
        _no_data(ax)


def _no_data(ax):
    ax.text(0.5, 0.5, "no data", color=LOOK, weight="bold", ha="center", va="center", transform=ax.transAxes)


def _threshold(panel):
    """The value where a panel turns red, or None."""
    steps = panel.get("fieldConfig", {}).get("defaults", {}).get("thresholds", {}).get("steps", [])
    return next((step["value"] for step in steps if step.get("value") is not None), None)


def _beyond(panel, value, limit):
    """Whether a value is on the red side of its panel's threshold."""
    steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    return value > limit if steps[-1].get("color") == "red" else value < limit


def _form(panel):
    """How a panel writes its numbers."""
    unit = panel.get("fieldConfig", {}).get("defaults", {}).get("unit", "short")
    forms = {"percentunit": lambda v: f"{100 * v:.3g} %" if abs(v) < 10 else f"{100 * v:,.0f} %", "s": lambda v: f"{v:.3g} s", "reqps": lambda v: f"{v:.3g} /s",
             "currencyEUR": lambda v: f"{v:.3g} €"}
    return forms.get(unit, lambda v: f"{v:.3g}")


def _legend_of(target, labels):
    """The legend's text, each ``{{label}}`` replaced by the series' own."""
    import re
    text = re.sub(r"{{\s*(\w+)\s*}}", lambda found: labels.get(found.group(1), ""), target.get("legendFormat") or "").strip()
    return text or ", ".join(f"{name} {value}" for name, value in sorted(labels.items()) if name != "__name__") or target["expr"]


def _server(address):
    """A function that asks a Prometheus server for ranges."""
    def ask(promql, start, end, step):
        import json
        from urllib.error import HTTPError
        from urllib.parse import urlencode
        from urllib.request import ProxyHandler, build_opener
        query = urlencode({"query": promql, "start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step:.3f}"})
        try:
            with build_opener(ProxyHandler({})).open(f"{address.rstrip('/')}/api/v1/query_range?{query}", timeout=10) as answer:
                found = json.load(answer)["data"]["result"]
        except HTTPError as error:
            raise ValueError(f"dashboard needs PromQL that {address} takes, got {promql!r}: {json.load(error).get('error')}") from None
        return [(one["metric"], *np.array(one["values"], dtype=float).T) for one in found]
    return ask


def _evidence(pvalue):
    if pvalue is None or np.isnan(pvalue):
        return 0.0
    return float(-np.log10(max(pvalue, 1e-10)))


def _pvalue(value):
    return f"{value:.3f}" if value >= 0.001 else "< 0.001"


def _percent(share):
    return f"{100 * share:.0f} %" if share == 0 or share >= 0.01 else f"{100 * share:.1f} %"


def _unit(name, unit):
    return f"{name} ({unit})" if unit else name
