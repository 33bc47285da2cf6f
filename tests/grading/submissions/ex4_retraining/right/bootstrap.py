"""A paired bootstrap, and scikit-learn's AUC."""
answers = {
    "2_validate": {
        "auc_difference": '''
from sklearn.metrics import roc_auc_score


def auc(y, scores):
    if len(set(y)) < 2:
        raise ValueError("one class only")
    return roc_auc_score(y, scores)


def ranked(y, scores):
    ranks = stats.rankdata(scores, axis=-1)
    m = y.sum(axis=-1)
    return ((ranks * y).sum(axis=-1) - m * (m + 1) / 2) / (m * (y.shape[-1] - m))


def auc_difference(y, candidate, production, confidence=0.95):
    y, a, b = np.asarray(y), np.asarray(candidate, float), np.asarray(production, float)
    rows = np.random.default_rng(0).integers(len(y), size=(2000, len(y)))
    gaps = ranked(y[rows], a[rows]) - ranked(y[rows], b[rows])
    low, high = np.quantile(gaps, [(1 - confidence) / 2, (1 + confidence) / 2])
    return {"difference": auc(y, a) - auc(y, b), "low": low, "high": high}
''',
    },
}
