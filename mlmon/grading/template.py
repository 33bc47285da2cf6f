"""A small working exercise to begin one's own from: `mlmon new exercise ex5_mine`.

It has one of each cell that an exercise has: text, a given cell that students cannot change, an answer, checks that
they see and others that they do not, and a written question with its rubric. It can be released and graded as it is.
"""

import keyword

from .course import GradingError

NOTEBOOK = "1_missing.ipynb"
# Each cell: its kind, its name, what nbgrader has to know of it, its text.
_GIVEN, _ANSWER = {"locked": True}, {"solution": True}
_CELLS = [
    ("markdown", "title", None, '''
# How much is missing?

A question in the title, and here why anybody asks it. Say what students can do afterwards, how long it takes, and what it needs.

**Time:** about 20 minutes.

| part | you write | points |
|---|---|---|
| A | `missing_share`: the share of missing values | 3 |
| B | what it means (read by your instructor) | 2 |

**How to work.** Write your code where a cell says `raise NotImplementedError()`, and take that line out. Keep the names and the arguments. The cells
below each task check your work: one that runs in silence is content. The same cells are run again with hidden checks, on fresh data.
'''),
    ("code", "imports", None, '''
import math
'''),
    ("markdown", "given-text", None, '''
This cell is **given**. Students can't change it: the grader puts it back as it was.
'''),
    ("code", "given_day", _GIVEN, '''
AGES = [34.0, math.nan, 51.0, 28.0, math.nan]      # one value a customer, nan where there is none
'''),
    ("markdown", "a-text", None, '''
## Part A. The share of missing values (3 points)

`missing_share` takes a list of numbers, nan where missing, and gives the share that is missing, a float from 0 to 1. An empty list has no share:
raise `ValueError`.

**By hand.** Of the five ages above, two are missing: 0.4.
'''),
    ("code", "missing_share", _ANSWER, '''
def missing_share(values):
    """The share of values that are missing, a float from 0 to 1."""
    # Step 1. Refuse an empty list.
    # Step 2. Count what is missing. (nan is equal to nothing, not even to nan.)
    # Step 3. Divide.
    ### BEGIN SOLUTION
    if len(values) == 0:
        raise ValueError("missing_share needs at least one value, got none")
    return sum(math.isnan(value) for value in values) / len(values)
    ### END SOLUTION
'''),
    ("code", "test_missing_share", {"grade": True, "locked": True, "points": 2}, '''
# A1 (2 points): the share.
def _graded():
    from math import nan
    from mlmon.grading import checks

    checks.number(missing_share([34.0, nan, 51.0, 28.0, nan]), 0.4, "missing_share([34, nan, 51, 28, nan])", "Is nan compared by ==?")
    ### BEGIN HIDDEN TESTS
    # By law, with fresh data each time: joined lists have the mean of their shares, weighted by length; order does not count.
    import numpy as np

    rng = np.random.default_rng()
    one, other = (np.where(rng.random(size) < share, nan, 1.0).tolist() for size, share in [(40, 0.3), (90, 0.7)])
    shares = [missing_share(values) for values in (one, other)]
    checks.number(missing_share(one + other), float(np.average(shares, weights=[40, 90])), "missing_share(one + other)", "Divide by the length.")
    checks.number(shares[0], sum(value != value for value in one) / 40, f"missing_share({one})")
    checks.number(missing_share(rng.permutation(other).tolist()), shares[1], "missing_share in another order")
    ### END HIDDEN TESTS

_graded()
'''),
    ("code", "test_missing_share_empty", {"grade": True, "locked": True, "points": 1}, '''
# A2 (1 point): nothing to take a share of.
def _graded():
    from mlmon.grading import checks

    checks.refuses("missing_share([])", missing_share, [], slip="An empty list has no share.")
    ### BEGIN HIDDEN TESTS
    checks.number(missing_share([1.0]), 0.0, "missing_share([1.0])", "One value is enough for a share.")
    ### END HIDDEN TESTS

_graded()
'''),
    ("markdown", "b-text", None, '''
## Part B. What it means (2 points, read by your instructor)

Yesterday 2 % of the ages were missing, today 40 %. **Write 50 to 100 words** to the owner of the model.

| points | for |
|---|---|
| 1 | who is hurt by it, and how |
| 1 | what to look at first, and why |
'''),
    ("markdown", "account", {"grade": True, "solution": True, "points": 2}, '''
*A model answer, in the order of the rubric.*

Customers whose age is missing get the decision of a made-up customer: the fill-in value. I look first at whatever delivers the age, since one feature alone
went missing, and all at once.
'''),
]  # fmt: skip


def new_exercise(course, name):
    """Lay the template into ``solutions/<name>``.

    Parameters
    ----------
    course : Course
    name : str
        An identifier that no exercise has yet.

    Returns
    -------
    pathlib.Path
        The notebook to change.
    """
    import nbformat

    if not name.isidentifier() or not name.isascii() or keyword.iskeyword(name):
        raise GradingError(f"an exercise's name is one word of letters, digits and _ that begins with a letter, got {name!r}. Try ex5_mine.")
    for folder in (course.solution(name), course.release(name)):
        if folder.exists():
            raise GradingError(f"a new exercise needs a new name, and {folder} is there already. Choose another name, or move it away.")
    book = nbformat.v4.new_notebook(cells=[_cell(*cell) for cell in _CELLS])
    book.metadata.kernelspec = {"display_name": "Python 3", "language": "python", "name": "python3"}
    book.metadata.language_info = {"name": "python"}
    course.solution(name).mkdir(parents=True)
    nbformat.write(book, course.solution(name) / NOTEBOOK)
    return course.solution(name) / NOTEBOOK


def _cell(kind, name, mark, text):
    import nbformat

    make = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
    cell = make(text.strip("\n"), id=name.replace("_", "-"))
    if mark is not None:
        plain = {"schema_version": 3, "grade_id": name, "grade": False, "solution": False, "locked": False, "task": False}
        cell.metadata["nbgrader"] = {**plain, **mark}
    return cell
