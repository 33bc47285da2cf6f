"""Matrices in place of loops."""
answers = {
    "1_ks": {
        "ks_statistic": '''
def ks_statistic(reference, current):
    reference, current = np.asarray(reference, float), np.asarray(current, float)
    at = np.union1d(reference, current)
    return np.abs((reference[:, None] <= at).mean(axis=0) - (current[:, None] <= at).mean(axis=0)).max()
''',
        "drifted_features": '''
def drifted_features(pvalues, alpha=0.05):
    names = np.array([name for name, p in pvalues.items() if p is not None])
    p = np.array([pvalues[name] for name in names], dtype=float)
    order = np.argsort(p)
    below = p[order] < alpha / np.arange(len(p), 0, -1)
    stop = len(p) if below.all() else int(np.argmin(below))
    return names[order][:stop]
''',
    },
    "2_chi_squared": {
        "chi2_statistic": '''
def chi2_statistic(table):
    O = np.array(list(table.values()), dtype=float)
    E = O.sum(1, keepdims=True) * O.sum(0, keepdims=True) / O.sum()
    return np.divide((O - E) ** 2, E, out=np.zeros_like(E), where=E > 0).sum()
''',
        "count_table": '''
def count_table(reference, current):
    values = np.array(["(missing)" if pd.isna(v) else v for v in [*reference, *current]], dtype=object)
    side = np.r_[np.zeros(len(reference), int), np.ones(len(current), int)]
    levels, place = np.unique(values.astype(str), return_inverse=True)
    counts = np.zeros((len(levels), 2), dtype=int)
    np.add.at(counts, (place, side), 1)
    return dict(zip(levels.tolist(), counts.tolist()))
''',
    },
    "3_psi": {
        "bin_counts": '''
def bin_counts(reference, current, bins=10):
    reference, current = np.asarray(reference, float), np.asarray(current, float)
    known = np.sort(reference[~np.isnan(reference)])
    edges = np.unique(known[np.ceil(np.arange(1, bins + 1) / bins * len(known)).astype(int) - 1])     # each bin ends with its edge
    lower, upper = np.r_[-np.inf, np.nextafter(known[0], -np.inf), edges], np.r_[np.nextafter(known[0], -np.inf), edges, np.inf]
    return tuple([*((s[:, None] > lower) & (s[:, None] <= upper)).sum(axis=0), np.isnan(s).sum()] for s in (reference, current))
''',
    },
    "5_comparing_methods": {
        "alarm_rate": '''
def alarm_rate(detector, pairs):
    words = np.array([DETECTORS[detector](*pair) for pair in pairs])
    decided = words[words != "undecided"]
    return {"runs": len(words), "alarms": int((words == "drifted").sum()), "undecided": len(words) - len(decided),
            "rate": float((decided == "drifted").mean()) if len(decided) else None}
''',
        "compare": '''
from itertools import product

def compare(detectors, cases):
    def row(case, detector):
        found = alarm_rate(detector, case["pairs"])
        ends = dict(zip(("low", "high"), wilson(found["alarms"], found["runs"])))
        return {**{key: case[key] for key in ("kind", "size", "n")}, "detector": detector, **found, **ends}
    return pd.DataFrame([row(case, detector) for case, detector in product(cases, detectors)])
''',
    },
}
