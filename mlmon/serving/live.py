"""The real servers within a notebook: they start while its first cells run, and end with it."""
from __future__ import annotations

import atexit
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mlmon.serving import stack


def begin(folder, **settings):
    """Start a stack in the background, for as long as this process lives.

    One that an earlier process has left in the folder is ended first, so that a cell can run twice.

    Parameters
    ----------
    folder : path
        Empty or missing, or that of an earlier stack.
    **settings
        Of `mlmon.serving.stack.Settings`.

    Returns
    -------
    concurrent.futures.Future or None
        Its `result()` waits, and is the `Stack`. None where a program is missing; `mlmon.serving.stack.lacks` says which.
    """
    chosen, folder = stack.Settings(**settings), Path(folder).resolve()
    stack.down(folder)
    if stack.lacks():
        return None
    atexit.register(stack.down, folder)
    background = ThreadPoolExecutor(1)
    starting = background.submit(stack.up, folder, chosen)
    background.shutdown(wait=False)
    return starting


def series(servers, promql, *, seconds=30.0, end=None):
    """What a query gave over the last seconds, asked at every scrape.

    Parameters
    ----------
    servers : Stack
    promql : str
    seconds : float
        How far back.
    end : float, optional
        Until when, in seconds since 1970; by default now.

    Returns
    -------
    pandas.DataFrame
        The index is the time in seconds before the end. One column a series, named by the labels that tell it from the others.
    """
    import pandas as pd

    end = time.time() if end is None else end
    span = {"query": promql, "start": f"{end - seconds:.3f}", "end": f"{end:.3f}", "step": servers.settings.scrape}
    found = servers.ask("prometheus", f"/api/v1/query_range?{urllib.parse.urlencode(span)}")["data"]["result"]
    lines = {name: {round(at - end, 3): float(value) for at, value in one["values"]}
             for name, one in zip(names([one["metric"] for one in found]), found)}
    return pd.DataFrame(lines, dtype=float).sort_index().rename_axis("seconds from now")


def names(labels):
    """A name for each series: the values of the labels in which they differ.

    Parameters
    ----------
    labels : sequence of dict of str to str

    Returns
    -------
    list of str

    Examples
    --------
    >>> names([{"model": "churned", "outcome": "ok"}, {"model": "churned", "outcome": "error"}])
    ['ok', 'error']
    >>> names([{"__name__": "up", "job": "scoring"}])
    ['up']
    """
    keys = sorted({key for one in labels for key in one if key != "__name__"})
    telling = [key for key in keys if len({one.get(key) for one in labels}) > 1]
    return [" ".join(one[key] for key in telling if key in one) or one.get("__name__", "value") for one in labels]
