"""Grade a class with otter-grader, in its own environment: a folder with ``in/<student>/<notebook>`` and ``tests/<notebook>``."""

import json
import sys
from pathlib import Path

from otter.execute import grade_notebook


def grade(folder, path):
    """Points that one notebook got, and the most it could."""
    tests = folder / "tests" / path.stem
    files = [str(file) for file in sorted(tests.glob("*.py"))]
    results = grade_notebook(str(path), tests_glob=files, test_dir=str(tests), cwd=str(path.parent))
    return results.total, results.possible


def main():
    folder, found = Path(sys.argv[1]).resolve(), {}
    for student in sorted((folder / "in").iterdir()):
        points = [grade(folder, path) for path in sorted(student.glob("*.ipynb"))]
        found[student.name] = [sum(got for got, _ in points), sum(most for _, most in points)]
    (folder / "results.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main()
