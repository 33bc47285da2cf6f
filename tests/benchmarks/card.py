"""What every shipped detector should see, and what it cannot: a table made by hand, with its reasons.

The tests ask `report_card` whether it is so: few seeds in `make test`, many in `make prove`,
which writes what was counted into the README.
"""

from copy import deepcopy
from functools import lru_cache, partial

from scipy.stats import binom, fisher_exact

from mlmon.data import tables as populations
from mlmon.drift import DataDriftDetector, chi2_test, cvm_test, domain_classifier, ks_test, missing_test, psi_test, wasserstein_test
from mlmon.drift import stream
from mlmon.drift.ask import compares, learns, steps
from mlmon.drift.label import class_conditional_drift, label_drift
from mlmon.drift.performance import ConceptDriftDetector
from mlmon.drift.prediction import PredictionDriftDetector
from mlmon.drift.prior import estimate_prior
from tests.benchmarks import tables

ALPHA = 0.05
PROMISE = {"DataDriftDetector": 0.07, "class_conditional_drift": 0.07}   # counted at 3 to 7 %; the others at most 5
ARL = 20   # a stream's mean number of days between false alarms


# ------------------------------------------------------------------ adapters

def of_column(test, name, reference, batch):
    return test(reference[name], batch[name])


def column(test, name):
    """A test of one feature."""
    return compares(partial(of_column, test, name))


def by_class(target, reference, batch):
    features = [name for name in reference if name != target]
    return class_conditional_drift(reference[features], reference[target], batch[features], batch[target])


def prior(method, reference, batch):
    return estimate_prior(reference["score"], reference["label"], batch["score"], method=method)


class Performance:
    """`ConceptDriftDetector` on frames of labels and scores."""

    def __init__(self, metric, outcomes):
        self.detector = ConceptDriftDetector((outcomes["label"], outcomes["score"]), metric=metric)

    def detect(self, outcomes):
        return self.detector.detect(outcomes["label"], outcomes["score"])


@lru_cache(maxsize=None)
def rate_of(table):
    """The share of labels 1 in a population."""
    population = populations.get(table)
    return float(population.probability(population.sample(100_000, 77)).mean())


@lru_cache(maxsize=None)
def calibrated(kind, table, rows):
    """Found by simulation, which takes seconds: once a process."""
    return getattr(stream, kind).for_arl(ARL * rows, rate=rate_of(table))


def fresh(kind, table, labels):
    return deepcopy(calibrated(kind, table, len(labels) // 4))     # the reference is four days long


def streams(table):
    """The kinds of detector that watch this table's labels."""
    return (*RARE, "DDM") if table == "transactions" else STREAMS


def watching(kind, table):
    """A detector of streams, set for the population's rate: what it reads are the labels themselves."""
    return steps(partial(fresh, kind, table), "labels")


# ------------------------------------------------------------------ who should see what

def detectors(table):
    """The shipped detectors, each in the form in which it would watch this table."""
    one, level, gaps = {
        "customers": ("income", "device", "rating"),
        "applicants": ("income", "contract", "credit_score"),
        "transactions": ("merchant_risk", "merchant", "amount"),
    }[table]
    target = populations.get(table).target
    return {
        "DataDriftDetector": learns(DataDriftDetector),
        "domain_classifier": compares(domain_classifier),
        "ks_test": column(ks_test, one),
        "cvm_test": column(cvm_test, one),
        "wasserstein_test": column(wasserstein_test, one),
        "psi_test": column(psi_test, one),
        "chi2_test": column(chi2_test, level),
        "missing_test": column(missing_test, gaps),
        "label_drift": compares(label_drift, "labels"),
        "class_conditional_drift": compares(partial(by_class, target), "rows"),
        "estimate_prior bbse": compares(partial(prior, "bbse"), "outcomes"),
        "estimate_prior em": compares(partial(prior, "em"), "outcomes"),
        "PredictionDriftDetector": learns(PredictionDriftDetector, "scores"),
        "ConceptDriftDetector auc": learns(partial(Performance, "auc"), "outcomes"),
        "ConceptDriftDetector brier": learns(partial(Performance, "brier"), "outcomes"),
        **{kind: watching(kind, table) for kind in streams(table)},
    }


FEATURE_TESTS = ("ks_test", "cvm_test", "wasserstein_test", "psi_test")
SHARP = ("CUSUM", "PageHinkley", "HDDMA", "HDDMW", "ADWIN")
RARE = ("CUSUM", "PageHinkley", "ADWIN")     # HDDM keeps no such run length where 0.7 % are frauds: it jumps from hundreds of values to far above
STREAMS = (*SHARP, "DDM")     # with as few false alarms as the others, DDM needs longer than a day
UNEVEN = ("DDM",)     # keeps its mean run length, but many of its false alarms come soon after a start: it promises no rate a day
OUTCOMES = ("label_drift", "ConceptDriftDetector auc", "ConceptDriftDetector brier", *STREAMS)
UNLABELLED = ("DataDriftDetector", "domain_classifier", *FEATURE_TESTS, "chi2_test", "missing_test", "PredictionDriftDetector",
              "estimate_prior bbse", "estimate_prior em")

# scenario: (who must see it, who cannot, why). Who is in neither may or may not.
SEES = {
    "customers-sudden-mean": (
        ("DataDriftDetector", *FEATURE_TESTS), ("chi2_test", "missing_test", *OUTCOMES),
        "incomes move by 0.3 sd; they say nothing of leaving, so labels and performance are as ever"),
    "customers-incremental-mean": (
        ("DataDriftDetector",), (*FEATURE_TESTS, "chi2_test", "missing_test", *OUTCOMES),
        "baskets move, which no test of incomes is shown, and which say nothing of leaving"),
    "customers-recurring-mean": (
        ("DataDriftDetector",), (*FEATURE_TESTS, "chi2_test", "missing_test"),
        "visits rise; who visits more leaves less, so scores and labels follow somewhat"),
    "customers-sudden-tail": (
        ("DataDriftDetector",), (*FEATURE_TESTS, "chi2_test", "missing_test", *OUTCOMES),
        "5 % of the baskets move far out"),
    "customers-sudden-range": (
        ("DataDriftDetector",), (*FEATURE_TESTS, "chi2_test", "missing_test", "label_drift", *STREAMS),
        "3 % of the ages are impossible; what was written down wrongly leaves the labels alone"),
    "customers-gradual-category": (
        ("DataDriftDetector", "chi2_test"), (*FEATURE_TESTS, "missing_test", *OUTCOMES),
        "15 % change to the rarest device, which says nothing of leaving"),
    "customers-sudden-correlation": (
        ("DataDriftDetector",), (*FEATURE_TESTS, "chi2_test", "missing_test", *OUTCOMES),
        "each column keeps its values; only who has which has changed"),
    "customers-sudden-stale": (
        ("DataDriftDetector",), (*FEATURE_TESTS, "chi2_test", "missing_test", "label_drift", *STREAMS),
        "half of the ratings repeat one value; none is missing"),
    "applicants-incremental-mean": (
        ("DataDriftDetector",), (*FEATURE_TESTS, "chi2_test", "missing_test"),
        "utilisation moves by 0.6 sd, which no test of incomes is shown"),
    "applicants-sudden-scale": (
        ("DataDriftDetector",), (*FEATURE_TESTS, "chi2_test", "missing_test"),
        "credit scores spread by 1.3 about the same mean"),
    "applicants-sudden-unit": (
        ("DataDriftDetector", "domain_classifier", *FEATURE_TESTS, "class_conditional_drift", "PredictionDriftDetector"),
        ("chi2_test", "missing_test", "label_drift", *STREAMS),
        "incomes a year for a month: the rows are wrong, the people are as ever"),
    "applicants-gradual-missing": (
        ("DataDriftDetector", "missing_test"), (*FEATURE_TESTS, "chi2_test", "label_drift", *STREAMS),
        "15 % of the credit scores are lost; the values that are left are as ever"),
    "applicants-sudden-concept": (
        ("label_drift", "ConceptDriftDetector auc", "ConceptDriftDetector brier", *SHARP), UNLABELLED,
        "20 % of the labels turn around; no row changes, so nothing without labels can know"),
    "transactions-sudden-new": (
        ("DataDriftDetector", "chi2_test"), (*FEATURE_TESTS, "missing_test", "label_drift", *RARE, "DDM"),
        "5 % have a merchant that the reference never had"),
    "transactions-gradual-mean": (
        ("DataDriftDetector", *FEATURE_TESTS), ("chi2_test", "missing_test"),
        "the risk of merchants moves by 0.5 sd; which merchant it is does not"),
    "transactions-sudden-prior": (
        ("label_drift", *RARE), ("missing_test",),
        "frauds go from 0.7 to 3 %; each class looks as ever, so features follow little"),
    "transactions-recurring-prior": (
        ("label_drift", *RARE), ("missing_test",),
        "the same, coming and going"),
}


# ------------------------------------------------------------------ limits and the table

def most_alarms(detector, days, chance=1e-6):
    """So many alarms on independent clean days are passed once in a million, if the detector keeps its rate."""
    return int(binom.isf(chance, days, PROMISE.get(detector, ALPHA)))


def least_alarms(detector, days, power=0.75, chance=1e-6):
    """Who sees has more alarms than a blind one would, and no fewer than one with this power has but once in a million."""
    return max(most_alarms(detector, days, chance) + 1, int(binom.ppf(chance, days, power)))


def alarms(card, detector, scenario):
    """Alarms on the drifted days, or on the clean days of a control; and how many days there were."""
    row = card[detector, scenario]
    share, days = (row.power, row.drifted_days) if row.drifted_days else (row.false_alarms, row.clean_days)
    return round((share or 0) * days), days


def as_when_clean(card, detector, scenario, chance=1e-6):
    """Are the alarms on second days no more than on the clean second days of the control, by Fisher's exact test?"""
    found, clean = ([run.said[1] == "DRIFTED" for run in card.runs if (run.detector, run.scenario) == (detector, name)]
                    for name in (scenario, f"{scenario.partition('-')[0]}-none"))
    table = [[sum(said), len(said) - sum(said)] for said in (found, clean)]
    return fisher_exact(table, alternative="greater").pvalue > chance


def write(cards, seeds):
    """The cards of all tables as one table of the README: shares of alarms, bold where the drift must be seen."""
    names = list(next(iter(cards.values())).detectors)
    rows = [(f"clean {table}", *(cell(card, name, f"{table}-none") for name in names)) for table, card in cards.items()]
    for scenario, (must, cannot, _) in SEES.items():
        card = cards[scenario.partition("-")[0]]
        rows.append((scenario, *(marked(cell(card, name, scenario), name in must, name in cannot) for name in names)))
    tables.write("card", f"{seeds} runs a scenario, one clean day and one drifted.\n\n" + tables.table(("scenario", *names), rows))


def cell(card, name, scenario):
    if name not in card.detectors:
        return "-"
    row = card[name, scenario]
    value = row.power if row.drifted_days else row.false_alarms
    return ("-" if value is None else tables.share(value)) + ("?" if row.undecided > 0.5 else "")


def marked(text, must, cannot):
    return f"**{text}**" if must else f"_{text}_" if cannot else text
