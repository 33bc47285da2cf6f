"""What `DataDriftDetector.detect` gives back, as data, text and HTML."""
import json
from dataclasses import asdict, dataclass, fields
from html import escape

from mlmon.drift.show import COLOURS, as_text, number
from mlmon.drift.verdict import Verdict


@dataclass(frozen=True)
class FeatureResult:
    """One feature's row of a report.

    Parameters
    ----------
    feature, kind : str
        Its name; "numeric" or "categorical".
    test : str
        The test that is reported: "ks" or "chi2". `pvalue` is its own.
    statistic, pvalue, psi : float
        As reported; they do not decide.
    bound : float
        How far `statistic` may be off: 0, unless the detector's mode is "certified" or the data came
        in chunks.
    corrected_pvalue : float
        What decides: corrected for all features and for all that the report looks at.
    effect : float
        Numbers: earth mover's distance in standard deviations of the reference.
        Categories: share of rows that changed level.
    missing_reference, missing_current, out_of_range : float
        Shares. Out of range: beyond the reference's minimum or maximum, or a new category.
    new_categories : tuple
        Categories that the reference has not.
    severity : str
        "none", "small", "large" by PSI's customary limits; "none" where STABLE, "unknown"
        where UNDECIDED.
    verdict : Verdict
    reason : str
    """

    feature: str
    kind: str
    test: str
    statistic: float | None
    bound: float
    pvalue: float | None
    corrected_pvalue: float | None
    effect: float | None
    psi: float | None
    missing_reference: float | None
    missing_current: float | None
    out_of_range: float | None
    new_categories: tuple
    severity: str
    verdict: Verdict
    reason: str

    @property
    def drifted(self):
        return self.verdict is Verdict.DRIFTED


@dataclass(frozen=True, repr=False)
class DriftReport:
    """The comparison of a batch with the reference.

    Parameters
    ----------
    verdict : Verdict
        DRIFTED if any feature or pair is; else UNDECIDED if any feature is; else STABLE.
    pvalue : float
        The smallest corrected p-value; None where nothing could be compared.
    reason : str
    features : tuple of FeatureResult
    pairs : tuple of (str, str, float)
        Pairs whose dependence changed most, with corrected p-values.
    alpha : float
    """

    verdict: Verdict
    pvalue: float | None
    reason: str
    features: tuple
    pairs: tuple
    alpha: float

    @classmethod
    def of(cls, features, pairs, alpha):
        """The report on these features and pairs."""
        drifted = [f.feature for f in features if f.drifted] + [f"{a} with {b}" for a, b, p in pairs if p <= alpha]
        undecided = [f for f in features if f.verdict is Verdict.UNDECIDED]
        ps = [f.corrected_pvalue for f in features if f.corrected_pvalue is not None] + [p for _, _, p in pairs]
        if drifted:
            verdict, reason = Verdict.DRIFTED, "drifted: " + _listed(drifted)
        elif undecided:
            verdict, reason = Verdict.UNDECIDED, f"{_listed([f.feature for f in undecided])}: {undecided[0].reason}"
        else:
            verdict, reason = Verdict.STABLE, "no more than chance"
        return cls(verdict, min(ps) if ps else None, reason, features, pairs, alpha)

    @property
    def drifted(self):
        return self.verdict is Verdict.DRIFTED

    @property
    def drifted_features(self):
        """Names of the features that drifted by themselves."""
        return tuple(f.feature for f in self.features if f.drifted)

    @property
    def drifted_pairs(self):
        """Pairs of features that go together otherwise than before."""
        return tuple((a, b) for a, b, p in self.pairs if p <= self.alpha)

    def __getitem__(self, feature):
        """The row of one feature."""
        for row in self.features:
            if row.feature == feature:
                return row
        raise KeyError(f"no feature {feature!r} in this report; it has {', '.join(str(f.feature) for f in self.features)}")

    def to_frame(self):
        """One row a feature, as a pandas DataFrame."""
        import pandas

        return pandas.DataFrame([{f.name: getattr(row, f.name) for f in fields(row)} for row in self.features])

    def to_json(self):
        """The whole report as JSON text."""
        about = {
            "verdict": str(self.verdict), "pvalue": self.pvalue, "reason": self.reason, "alpha": self.alpha,
            "drifted_features": list(self.drifted_features),
            "pairs": [{"first": a, "second": b, "corrected_pvalue": p} for a, b, p in self.pairs],
            "features": [asdict(f) for f in self.features],
        }
        return json.dumps(about, default=str)

    def __str__(self):
        return as_text(self.verdict, self.reason, _HEADS, [_cells(f) for f in self.features])

    __repr__ = __str__

    def _repr_html_(self):
        heads = "".join(f"<th style='text-align:left'>{h}</th>" for h in _HEADS)
        body = "".join(
            f"<tr style='{_STYLE[row.verdict]}'>" + "".join(f"<td style='text-align:left'>{escape(cell)}</td>" for cell in _cells(row)) + "</tr>"
            for row in self.features
        )
        return (
            f"<div><p><b style='{_STYLE[self.verdict]};padding:2px 6px'>{self.verdict}</b> {escape(self.reason)}"
            f" &nbsp;(alpha {self.alpha:g} for the whole table)</p><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
        )


_HEADS = ("feature", "test", "statistic", "p", "corrected p", "effect", "PSI", "missing", "verdict", "reason")
_STYLE = {**COLOURS, Verdict.STABLE: ""}      # most rows are: only the others are coloured


def _cells(row):
    missing = "" if row.missing_current is None else f"{row.missing_reference:.1%} → {row.missing_current:.1%}"
    return (
        str(row.feature), row.test, number(row.statistic), number(row.pvalue), number(row.corrected_pvalue),
        number(row.effect), number(row.psi), missing, str(row.verdict), row.reason,
    )


def _listed(names, most=5):
    shown = ", ".join(map(str, names[:most]))
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")
