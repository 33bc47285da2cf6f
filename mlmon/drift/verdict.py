"""The three verdicts, and the result of one test."""
from dataclasses import dataclass
from enum import StrEnum

SMALL, LARGE = 0.1, 0.2      # the customary limits of PSI


class Verdict(StrEnum):
    """What a test says. `UNDECIDED` comes with a reason, and never counts as fine.

    Examples
    --------
    >>> Verdict.DRIFTED == "DRIFTED"
    True
    """

    STABLE = "STABLE"
    DRIFTED = "DRIFTED"
    UNDECIDED = "UNDECIDED"


@dataclass(frozen=True)
class TestResult:
    """What one test found between a reference and a current sample.

    Parameters
    ----------
    test : str
        Name of the test.
    statistic, pvalue : float
        None where the test could not be made.
    effect : float
        Size of the change, in the unit that the test's docstring names.
    severity : str
        "none", "small" or "large", by PSI's customary limits 0.1 and 0.2 (by the
        effect itself where the test has no PSI); "unknown" where UNDECIDED.
    verdict : Verdict
    reason : str
        One sentence.
    threshold : float
        The statistic's critical value, where the test works with one.
    """

    __test__ = False      # not a pytest class

    test: str
    statistic: float | None
    pvalue: float | None
    effect: float | None
    severity: str
    verdict: Verdict
    reason: str
    threshold: float | None = None

    @property
    def drifted(self):
        return self.verdict is Verdict.DRIFTED


def severity(psi):
    """PSI in words: "none" under 0.1, "small" up to 0.2, "large" above.

    Examples
    --------
    >>> severity(0.05), severity(0.15), severity(0.4)
    ('none', 'small', 'large')
    """
    return "none" if psi < SMALL else "small" if psi <= LARGE else "large"
