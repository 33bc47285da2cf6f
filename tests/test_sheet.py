"""The cheat sheet is the one its program draws, fits its page, and names what exists."""

import re
from pathlib import Path

import matplotlib.image
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mlmon import drift, sheet

COURSE = Path(__file__).parents[1] / "course"


def test_what_is_stored_is_what_is_drawn(tmp_path):
    fresh, pdf = sheet.draw(tmp_path)
    stored = sheet.FOLDER / fresh.name
    assert np.array_equal(matplotlib.image.imread(fresh), matplotlib.image.imread(stored))
    assert pdf.read_bytes().startswith(b"%PDF") and (sheet.FOLDER / pdf.name).stat().st_size > 10_000


def test_no_word_leaves_the_page_or_its_column(tmp_path, monkeypatch):
    figures = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, *_, **__: figures.append(figure))
    sheet.draw(tmp_path)
    figure = figures[0]
    renderer = FigureCanvasAgg(figure).get_renderer()
    boxes = [text.get_window_extent(renderer) for text in figure.axes[0].texts]
    assert len(boxes) > 80 and all(box.x0 >= 0 and box.x1 <= figure.bbox.x1 and box.y0 >= 0 and box.y1 <= figure.bbox.y1 for box in boxes)
    pairs = [(one, other) for i, one in enumerate(boxes) for other in boxes[i + 1:]]
    assert not [1 for one, other in pairs if one.overlaps(other)]


def test_every_tool_and_notebook_that_it_names_is_there():
    words = " ".join(text for rows in sheet.ROWS.values() for row in rows for text in row)
    assert {name for name in re.findall(r"\b(?:[A-Z]\w+Detector|label_drift|CUSUM|ADWIN|CBPE)\b", words) if not hasattr(drift, name)
            and not hasattr(drift.stream, name)} == set()
    numbers = {number for rows in sheet.ROWS.values() for row in rows for number in row[-1].split(", ")}
    assert all(re.fullmatch(r"0\d|1[0-4]", number) for number in numbers)
