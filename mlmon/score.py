"""The ML Test Score: how far a system that learns is ready for production, by 28 tests and one number.

Each test gives half a point when somebody runs it by hand and writes down what came out, and a whole point when it runs by itself, again and
again. Points are summed within data, model, infrastructure and monitoring, and the score is the **smallest** of the four sums:
a section that nobody looks after can't be made up for by the others.
"""
from dataclasses import dataclass

# What each test asks, in our words; names and numbers are the paper's.
TESTS = {
    "data 1": "A schema says what each feature may hold, and data is checked against it.",
    "data 2": "Each feature has been shown to help.",
    "data 3": "No feature costs more (time, memory, upkeep, other systems) than it brings.",
    "data 4": "Features keep the rules of the house: forbidden sources, columns, uses.",
    "data 5": "Personal data is protected along the whole pipeline.",
    "data 6": "A new feature can be put into production quickly.",
    "data 7": "The code that makes features has tests.",
    "model 1": "Each model's specification is reviewed and kept under version control.",
    "model 2": "The offline metric moves together with what the business gains.",
    "model 3": "Hyperparameters have been tuned.",
    "model 4": "It is known what a model loses with age.",
    "model 5": "A simpler model has been tried, and is worse.",
    "model 6": "Quality is sufficient on each important slice.",
    "model 7": "Groups of people have been compared, and no group is served worse unnoticed.",
    "infrastructure 1": "Trained twice on the same data, it is the same model.",
    "infrastructure 2": "The code that specifies the model has unit tests.",
    "infrastructure 3": "The whole pipeline, from raw data to a served answer, has a test.",
    "infrastructure 4": "A model has to pass a gate of quality before it serves.",
    "infrastructure 5": "One example can be followed step by step through training or serving.",
    "infrastructure 6": "A new model meets a small part of traffic first.",
    "infrastructure 7": "Serving can go back to an earlier version, quickly and safely.",
    "monitoring 1": "Whoever owns the model is told when something that it depends on changes.",
    "monitoring 2": "What must hold for inputs is checked where they come in.",
    "monitoring 3": "Features in serving have the values that they have in training.",
    "monitoring 4": "Models that have become too old are noticed.",
    "monitoring 5": "Values that are not finite are noticed, in training and in serving.",
    "monitoring 6": "A loss of speed, throughput or memory is noticed, sudden or slow.",
    "monitoring 7": "A loss of quality on served data is noticed.",
}
SECTIONS = ("data", "model", "infrastructure", "monitoring")
_MEANING = (
    (0, "a research project, not yet a product"),
    (1, "not untested, and serious holes are likely"),
    (2, "a first pass at production, more work may be needed"),
    (3, "reasonably tested, more of it could run by itself"),
    (5, "strong: tested and watched by itself, fit for what must not fail"),
    (7, "exceptional"),
)


@dataclass(frozen=True)
class Score:
    """What `ml_test_score` found.

    Parameters
    ----------
    sections : dict of str to float
        Points of each section, from 0 to 7.
    value : float
        The score: the smallest of them.
    meaning : str
        How the paper reads that score.
    next : tuple of str
        Tests of the weakest sections that do not run by themselves yet. Nothing else raises the score.
    """

    sections: dict
    value: float
    meaning: str
    next: tuple


def ml_test_score(*, automated=(), manual=()):
    """The ML Test Score of a system.

    Parameters
    ----------
    automated : sequence of str
        Tests of `TESTS` that run by themselves, repeatedly: 1 point each.
    manual : sequence of str
        Tests that somebody runs by hand and documents: 0.5 points each.

    Returns
    -------
    Score

    Raises
    ------
    ValueError
        Where a test is not in `TESTS`, or is named twice.

    References
    ----------
    Breck, Cai, Nielsen, Salib and Sculley (2017), The ML Test Score: A Rubric for ML Production Readiness and Technical Debt Reduction,
    IEEE International Conference on Big Data, 1123-1132.

    Examples
    --------
    >>> team = ml_test_score(automated=["data 1", "model 6", "infrastructure 7"], manual=["data 7", "monitoring 7"])
    >>> team.sections
    {'data': 1.5, 'model': 1.0, 'infrastructure': 1.0, 'monitoring': 0.5}
    >>> team.value, team.meaning
    (0.5, 'not untested, and serious holes are likely')
    >>> team.next[:2]
    ('monitoring 1', 'monitoring 2')
    """
    automated, manual = _named(automated, "automated"), _named(manual, "manual")
    named = automated + manual
    twice = sorted({test for test in named if named.count(test) > 1})
    if twice:
        raise ValueError(f"each test needs to be named once, got {twice[0]!r} more often. What runs by itself is automated and not manual.")
    sections = {section: sum(_of(test, section) for test in automated) + sum(_of(test, section) for test in manual) / 2 for section in SECTIONS}
    value = float(min(sections.values()))
    weakest = [section for section in SECTIONS if sections[section] == value]
    todo = tuple(test for test in TESTS if test not in automated and any(_of(test, section) for section in weakest))
    return Score(sections, value, next(words for limit, words in _MEANING if value <= limit), todo)


def _of(test, section):
    return test.startswith(section)


def _named(tests, name):
    if isinstance(tests, str):
        raise ValueError(f"{name} needs a list of tests, got the text {tests!r}. Write [{tests!r}].")
    for test in tests:
        if test not in TESTS:
            raise ValueError(f"{name} needs tests such as 'data 1' to 'data 7' or 'monitoring 3', got {test!r}. TESTS lists all {len(TESTS)}.")
    return list(tests)
