"""Notebooks 1 to 3 and 5 in plain Python: loops, sorting and the math module, no NumPy."""
answers = {
    "1_ks": {
        "ks_statistic": '''
def ks_statistic(reference, current):
    widest = 0.0
    for x in list(reference) + list(current):
        f = sum(1 for value in reference if value <= x) / len(reference)
        g = sum(1 for value in current if value <= x) / len(current)
        widest = max(widest, abs(f - g))
    return widest
''',
        "ks_pvalue": '''
import math

def ks_pvalue(statistic, n, m):
    x = statistic * math.sqrt(n * m / (n + m))
    if x < 0.2:
        return 1.0
    total = 0.0
    for k in range(1, 101):
        total += (-1) ** (k - 1) * math.exp(-2 * k * k * x * x)
    return min(1.0, max(0.0, 2 * total))
''',
        "ks_test": '''
import math

def ks_test(reference, current, alpha=0.05, min_effect=0.0):
    old = [float(v) for v in reference if not math.isnan(float(v))]
    new = [float(v) for v in current if not math.isnan(float(v))]
    answer = {
        "missing_reference": 1 - len(old) / len(reference) if len(reference) else 0.0,
        "missing_current": 1 - len(new) / len(current) if len(current) else 0.0,
        "statistic": None,
        "pvalue": None,
        "drifted": False,
        "verdict": "undecided",
        "reason": "too few values",
    }
    if len(old) >= 5 and len(new) >= 5:
        statistic, pvalue = stats.ks_2samp(old, new)
        answer["statistic"], answer["pvalue"] = float(statistic), float(pvalue)
        if pvalue < alpha and statistic >= min_effect:
            answer["drifted"], answer["verdict"], answer["reason"] = True, "drifted", "the curves differ"
        else:
            answer["verdict"], answer["reason"] = "stable", "the curves agree"
    return answer
''',
        "drifted_features": '''
def drifted_features(pvalues, alpha=0.05):
    left = {name: p for name, p in pvalues.items() if p is not None}
    found = []
    while left:
        smallest = min(left, key=left.get)
        if left[smallest] < alpha / len(left):
            found.append(smallest)
            del left[smallest]
        else:
            break
    return found
''',
    },
    "2_chi_squared": {
        "count_table": '''
def count_table(reference, current):
    def clean(sample):
        return ["(missing)" if v is None or v != v else v for v in list(sample)]
    old, new = clean(reference), clean(current)
    return {level: [old.count(level), new.count(level)] for level in sorted(set(old) | set(new))}
''',
        "chi2_statistic": '''
def chi2_statistic(table):
    n = sum(a for a, b in table.values())
    m = sum(b for a, b in table.values())
    total = 0.0
    for a, b in table.values():
        if a + b == 0:
            continue
        for observed, size in ((a, n), (b, m)):
            expected = (a + b) * size / (n + m)
            total += (observed - expected) ** 2 / expected
    return total
''',
        "merge_rare": '''
def merge_rare(table, least=5):
    n = sum(a for a, b in table.values())
    m = sum(b for a, b in table.values())

    def rare(row):
        return min(sum(row) * n, sum(row) * m) / (n + m) < least

    kept = {level: list(row) for level, row in table.items() if not rare(row)}
    merged = [row for row in table.values() if rare(row)]
    if not merged:
        return kept
    other = [sum(row[0] for row in merged), sum(row[1] for row in merged)]
    while rare(other) and kept:
        smallest = min(kept, key=lambda level: sum(kept[level]))
        row = kept.pop(smallest)
        other = [other[0] + row[0], other[1] + row[1]]
    kept["(other)"] = other
    return kept
''',
        "chi2_test": '''
def chi2_test(table, alpha=0.05):
    rows = [row for row in table.values() if row[0] + row[1] > 0]
    n, m = sum(row[0] for row in rows), sum(row[1] for row in rows)
    if len(rows) < 2 or n == 0 or m == 0:
        return dict(verdict="undecided", drifted=False, statistic=None, pvalue=None, effect=None, reason="nothing to compare")
    statistic = 0.0
    for row in rows:
        for observed, size in zip(row, (n, m)):
            expected = sum(row) * size / (n + m)
            statistic += (observed - expected) ** 2 / expected
    pvalue = float(stats.chi2.sf(statistic, len(rows) - 1))
    drifted = pvalue < alpha
    return dict(verdict="drifted" if drifted else "stable", drifted=drifted, statistic=statistic, pvalue=pvalue,
                effect=(statistic / (n + m)) ** 0.5, reason="the mix moved" if drifted else "the mix is the same")
''',
    },
    "3_psi": {
        "psi_from_counts": '''
import math

def psi_from_counts(reference_counts, current_counts):
    bins = len(reference_counts)
    n, m = sum(reference_counts) + bins / 2, sum(current_counts) + bins / 2
    total = 0.0
    for a, b in zip(reference_counts, current_counts):
        p, q = (a + 0.5) / n, (b + 0.5) / m
        total += (q - p) * math.log(q / p)
    return total
''',
        "bin_counts": '''
import bisect, math

def bin_counts(reference, current, bins=10):
    known = sorted(float(v) for v in reference if not math.isnan(float(v)))
    edges = []
    for i in range(1, bins):
        edge = known[round(i * len(known) / bins) - 1]      # the bin ends with this value
        if edge not in edges and edge < known[-1]:
            edges.append(edge)
    edges = [math.nextafter(known[0], -math.inf), *edges, known[-1]]

    def count(sample):
        counts = [0] * (len(edges) + 2)
        for value in sample:
            value = float(value)
            counts[-1 if math.isnan(value) else bisect.bisect_left(edges, value)] += 1
        return counts

    return count(reference), count(current)
''',
        "psi_threshold": '''
def psi_threshold(n, m, bins=10, alpha=0.05):
    return (n + m) / (n * m) * float(stats.chi2.ppf(1 - alpha, bins - 1))
''',
        "psi_verdict": '''
def psi_verdict(psi, threshold):
    if psi > threshold:
        word = "drifted"
    elif threshold > 0.2:
        word = "undecided"
    else:
        word = "stable"
    if psi < 0.1:
        custom = "none"
    elif psi <= 0.2:
        custom = "small"
    else:
        custom = "large"
    return {"verdict": word, "drifted": word == "drifted", "customary": custom, "reason": "PSI against its limit"}
''',
        "psi_features": '''
def psi_features(reference, current, bins=10):
    scores = {}
    for name in list(reference):
        scores[name] = None
        if name in list(current):
            if reference[name].dtype.kind in "iuf":
                old, new = bin_counts(list(reference[name]), list(current[name]), bins)
            else:
                a = [str(v) if not pd.isna(v) else None for v in reference[name]]
                b = [str(v) if not pd.isna(v) else None for v in current[name]]
                levels = set(a) | set(b)
                old, new = [a.count(level) for level in levels], [b.count(level) for level in levels]
            scores[name] = psi_from_counts(old, new)
    return scores
''',
    },
    "5_comparing_methods": {
        "wilson": '''
import math
from statistics import NormalDist

def wilson(alarms, runs, level=0.95):
    z = NormalDist().inv_cdf(0.5 + level / 2)
    p = alarms / runs
    root = z * math.sqrt(p * (1 - p) / runs + z * z / (4 * runs * runs))
    low = (p + z * z / (2 * runs) - root) / (1 + z * z / runs)
    high = (p + z * z / (2 * runs) + root) / (1 + z * z / runs)
    return [max(low, 0.0), min(high, 1.0)]
''',
        "alarm_rate": '''
def alarm_rate(detector, pairs):
    tally = {"drifted": 0, "stable": 0, "undecided": 0}
    for reference, current in pairs:
        tally[DETECTORS[detector](reference, current)] += 1
    decided = tally["drifted"] + tally["stable"]
    rate = None if decided == 0 else tally["drifted"] / decided
    return {"runs": len(pairs), "alarms": tally["drifted"], "undecided": tally["undecided"], "rate": rate}
''',
        "fair_threshold": '''
def fair_threshold(scores, alpha=0.05):
    allowed = int(alpha * len(scores) + 1e-9)
    for limit in sorted(scores):
        if sum(1 for score in scores if score > limit) <= allowed:
            return limit
''',
    },
}
