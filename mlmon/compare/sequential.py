"""Two arms that are looked at while they run, as often as one likes."""
import numpy as np

from mlmon import _check
from mlmon.compare.arms import Comparison, Finding, finding_of, margin_of, told, undecided
from mlmon.drift.metric import Estimate

FEW = 50            # rows of an arm below which there is nothing to look at


class SequentialTest:
    """Two arms that may be looked at after every row: the error holds however often, and whenever one stops.

    A fixed test that is looked at 50 times errs in a third of all cases and not in one of twenty. Here the
    p-value is that of a mixture of likelihood ratios over effects of a normal spread `tau`, and it is always valid.
    What was once decided stays so.

    Parameters
    ----------
    tau : float
        Size of the effects that are expected, in the unit of the values; the nearer, the sooner it decides.
    alpha : float
    margin : float
        The most that B may be worse by.
    ends : (float, float), optional
        What values cannot be below and above. Where only 0 and 1 have come, they are taken as no and yes. With neither, arms that
        have not varied yet are undecided.

    Attributes
    ----------
    pvalue : float
        Smallest so far, to be held against `alpha`.
    comparison : Comparison
        As it stands.

    References
    ----------
    Robbins (1970), Ann. Math. Stat. 41, 1397-1409; Johari et al. (2022), Oper. Res. 70(3), 1806-1821.

    Examples
    --------
    >>> rng, test = np.random.default_rng(0), SequentialTest(tau=0.05)
    >>> while test.comparison.finding == "UNDECIDED":
    ...     found = test.update(rng.random(100) < 0.80, rng.random(100) < 0.75)
    >>> found.finding
    <Finding.WORSE: 'WORSE'>
    """

    def __init__(self, tau, *, alpha=0.05, margin=0.0, ends=None):
        self.tau, self.alpha = _check.positive(tau, "tau"), _check.open_share(alpha, "alpha")
        self.margin, self.ends, self._yes_or_no = margin_of(margin), _ends(ends), ends is None
        self.pvalue, self._low, self._high = 1.0, -np.inf, np.inf
        self._sums = np.zeros((2, 3))       # of each arm: rows, values, squares
        self.comparison = undecided(0, f"needs {FEW} rows of each arm, got 0 and 0")

    def update(self, a=(), b=()):
        """Take in new rows of either arm, and say where it stands.

        Parameters
        ----------
        a, b : array-like of shape (n,) and (m,)

        Returns
        -------
        Comparison
        """
        for sums, values, name in zip(self._sums, (a, b), "ab"):
            values = _check.numeric(values, name, least=0)
            if self.ends and len(values) and not self.ends[0] <= values.min() <= values.max() <= self.ends[1]:
                raise ValueError(f"{name} needs values from {self.ends[0]:g} to {self.ends[1]:g}, got {values.min():g} to {values.max():g}. Pass other ends.")
            self._yes_or_no = self._yes_or_no and bool(np.isin(values, (0, 1)).all())
            sums += len(values), values.sum(), values @ values
        n, total, squares = self._sums.T
        if n.min() < FEW:
            return self.comparison if self.comparison.pvalue is not None else self._wait(n)
        variance = float(np.sum(variance_of_mean(n, total, squares, self.alpha, (0, 1) if self._yes_or_no else self.ends)))
        if variance == 0:
            return self._wait(n, "all values so far are alike; pass ends if they have any")
        value = float(np.diff(total / n)[0])
        self.pvalue = min(self.pvalue, float(always_valid_p(value, variance, self.tau)))
        half = float(always_valid_half_width(variance, self.tau, self.alpha))
        self._low, self._high = max(self._low, value - half), min(self._high, value + half)
        ends = self._low, self._high
        finding = self.comparison.finding
        if finding is Finding.UNDECIDED:
            finding = finding_of(*ends, self.margin)
        estimate = Estimate(value, *ends, int(n.sum()), "always valid", confidence=1 - self.alpha)
        self.comparison = Comparison(estimate, self.pvalue, finding, told(estimate, self.margin))
        return self.comparison

    def _wait(self, n, why=None):
        self.comparison = undecided(int(n.sum()), why or f"needs {FEW} rows of each arm, got {n[0]:.0f} and {n[1]:.0f}")
        return self.comparison


def variance_of_mean(n, total, squares, alpha, ends=None):
    """Variance of an arm's mean from its sums, as at each look of a test with `alpha`.

    With known ends, the spread is that of the rows and of ``log(1 / alpha) / 2`` more at either end, and so never smaller. For rows that are
    all alike do not mean that others cannot come: where the true mean lies a share s of the range away, n rows are alike with a chance
    of ``(1 - s)**(n - 1)`` at most. So an interval about two such arms has to reach ``log(1 / alpha) / (n - 1)`` of the range, and with
    these rows it does; the same error at all looks, as alike rows are seen in a row.

    Parameters
    ----------
    n, total, squares : float or array
        Rows, sum of values and of their squares.
    alpha : float
    ends : (float, float), optional

    Examples
    --------
    >>> float(variance_of_mean(4, 2.0, 2.0, 0.05)), float(variance_of_mean(100, 0.0, 0.0, 0.05))
    (0.08333333333333333, 0.0)
    >>> round(float(variance_of_mean(100, 0.0, 0.0, 0.05, (0, 1))), 6)
    0.000145
    """
    more = 0.0 if ends is None else -np.log(alpha) / 2
    low, high = ends or (0.0, 0.0)
    rows = np.maximum(n + 2 * more, 1)
    mean = (total + more * (low + high)) / rows
    return np.maximum((squares + more * (low**2 + high**2)) / rows - mean**2, 0) / np.maximum(n - 1, 1)


def always_valid_p(difference, variance, tau):
    """p-value of one look that any number of looks may be taken at: 1 over the mixture likelihood ratio, at most 1.

    ``ratio = sqrt(V / (V + tau^2)) exp(tau^2 d^2 / (2 V (V + tau^2)))``, V being the variance of the difference d.

    Parameters
    ----------
    difference, variance : float or array
        At each look.
    tau : float

    Examples
    --------
    >>> always_valid_p(np.array([0.0, 0.03]), 1e-5, 0.03).round(4).tolist()
    [1.0, 0.0]
    """
    both = variance + tau**2
    log_ratio = 0.5 * np.log(variance / both) + tau**2 * np.square(difference) / (2 * variance * both)
    return np.exp(-np.maximum(log_ratio, 0.0))


def always_valid_half_width(variance, tau, alpha):
    """Half the interval around a difference that belongs to `always_valid_p`.

    Examples
    --------
    >>> half = always_valid_half_width(1e-4, 0.03, 0.05)
    >>> round(float(always_valid_p(half, 1e-4, 0.03)), 6)
    0.05
    """
    both = variance + tau**2
    return np.sqrt(variance * both / tau**2 * (np.log(both / variance) - 2 * np.log(alpha)))


def _ends(ends):
    """Two finite numbers, the smaller first, or None."""
    if ends is None:
        return None
    low, high = _check.numeric(ends, "ends", least=2)
    if not low < high:
        raise ValueError(f"ends needs the smallest and the largest value that can come, got {low:g} and {high:g}. Pass two, such as (0, 1).")
    return float(low), float(high)
