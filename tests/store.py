"""Run notebooks of the course and store them with their outputs: python -m tests.store course/NAME.ipynb ..."""
import sys
import time

import nbformat
from nbclient import NotebookClient

WIDGET = "application/vnd.jupyter.widget-view+json"
NOTE = {"text/plain": "A slider stands here as soon as you run this cell."}


def store(path):
    """Run a notebook from top to bottom and write it back; a saved slider would not move, so a note stands for it."""
    notebook = nbformat.read(path, as_version=4)
    start = time.monotonic()
    NotebookClient(notebook, timeout=300, record_timing=False, resources={"metadata": {"path": "course"}}).execute()
    notebook.metadata.pop("widgets", None)
    notebook.metadata.language_info = {"name": "python"}
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            if WIDGET in output.get("data", {}):
                output["data"] = NOTE
    nbformat.write(notebook, path)
    print(f"{path}: stored after {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        store(name)
