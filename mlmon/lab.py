"""Open the course in JupyterLab, with nothing asked of any other machine.

`mlmon lab` starts JupyterLab at the welcome notebook, in a configuration of
its own under ``build/jupyter``: no news, no update check, no telemetry, and
nbgrader's Validate button on.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

WELCOME = "course/00_orientation.ipynb"

# What stops each library from calling home. The Makefile exports the same.
SILENCE = {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    "SCARF_ANALYTICS": "false",
}

# One thread a library: several on a busy machine wait for each other, and what takes 14 s alone has taken 134.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")

# JupyterLab asks about news in a pop-up unless its setting says so beforehand. When a cell ran is what `mlmon progress` reads.
SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/notebook-extension:tracker": {"recordTiming": True},
}

# nbgrader's formgrader loads MathJax from another machine, and without it neither its keys work nor does it go to the first score. This
# stands in for it: formulas stay as they were typed.
MATHJAX = """{%- macro mathjax() -%}
<script>var MathJax = {Hub: {Startup: {signal: {Interest: tell => setTimeout(tell, 0, "End")}}}}</script>
{%- endmacro -%}
"""


def main(argv=None):
    """Run `mlmon lab` until it is stopped; 0 when it ends well."""
    options = _parser().parse_args(argv)
    root = options.dir.resolve()
    if not (root / options.notebook).is_file():
        print(f"mlmon lab opens {options.notebook}, and {root} has none. Run it in the course's folder.", file=sys.stderr)
        return 1
    os.chdir(root)
    os.environ.update(environment(root))
    try:
        from jupyterlab.labapp import LabApp
    except ImportError:
        print('mlmon lab needs JupyterLab. Install it: python -m pip install --editable ".[course,grading]"', file=sys.stderr)
        return 1
    print("JupyterLab starts, which takes some seconds; Ctrl+C ends it.", flush=True)
    browser = display() and not options.no_browser
    LabApp.launch_instance(arguments(root, options.notebook, port=options.port, browser=browser))
    return 0


def environment(root):
    """Environment in which JupyterLab keeps to itself; writes its settings under ``build/jupyter``.

    Parameters
    ----------
    root : path
        Folder of the course.

    Returns
    -------
    dict of str

    Examples
    --------
    >>> import tempfile
    >>> environment(tempfile.mkdtemp())["DO_NOT_TRACK"]
    'true'
    """
    home = Path(root).resolve() / "build" / "jupyter"
    _write(home / "config" / "labconfig" / "default_setting_overrides.json", json.dumps(SETTINGS, indent=2) + "\n")
    _write(home / "data" / "nbconvert" / "templates" / "formgrade" / "mathjax.html.j2", MATHJAX)
    own = {
        "JUPYTER_CONFIG_DIR": home / "config",
        "JUPYTER_DATA_DIR": home / "data",
        "JUPYTER_RUNTIME_DIR": home / "runtime",
        "IPYTHONDIR": home / "ipython",
    }
    threads = {name: os.environ.get(name, "1") for name in THREADS}
    return {**SILENCE, **threads, "JUPYTER_PREFER_ENV_PATH": "1", **{name: str(path) for name, path in own.items()}}


def _write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def arguments(root, notebook=WELCOME, *, port=None, browser=True):
    """Arguments of JupyterLab: where it looks, what it opens, whom it asks (nobody).

    Parameters
    ----------
    root : path
        Folder of the course.
    notebook : str
        What opens first, relative to `root`.
    port : int, optional
        This port or none. Without it, the first free one from 8888 on.
    browser : bool
        Whether to open the browser; the address is printed either way.

    Returns
    -------
    list of str

    Examples
    --------
    >>> "--ServerApp.port=9001" in arguments(".", port=9001)
    True
    """
    return [
        f"--ServerApp.root_dir={Path(root).resolve()}",
        f"--LabApp.default_url=/lab/tree/{notebook}",
        f"--ServerApp.open_browser={browser}",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port or 8888}",
        f"--ServerApp.port_retries={0 if port else 50}",
        "--ServerApp.answer_yes=True",
        f"--ServerApp.allow_root={_root()}",
        "--ServerApp.log_level=ERROR",
        "--LabApp.log_level=ERROR",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
        "--LanguageServerManager.autodetect=False",
        "--KernelManager.transport_encryption=auto",
    ]


def display():
    """Whether there is a screen to open a browser on.

    Examples
    --------
    >>> isinstance(display(), bool)
    True
    """
    if sys.platform != "linux":
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _root():
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _parser():
    parser = argparse.ArgumentParser(prog="mlmon lab", description=__doc__.splitlines()[0])
    parser.add_argument("notebook", nargs="?", default=WELCOME, help="what opens first (%(default)s)")
    parser.add_argument("--dir", type=Path, default=Path(), help="folder of the course (this one)")
    parser.add_argument("--port", type=int, help="this port (the first free one from 8888 on)")
    parser.add_argument("--no-browser", action="store_true", help="print the address only")
    return parser


if __name__ == "__main__":
    sys.exit(main())
