"""Walks through merged lists, counters and generators."""
answers = {
    "1_ks": {
        "ks_statistic": '''
from itertools import groupby

def ks_statistic(reference, current):
    steps = sorted([(x, 1 / len(reference)) for x in reference] + [(x, -1 / len(current)) for x in current])
    height = widest = 0.0
    for _, tied in groupby(steps, key=lambda step: step[0]):
        height += sum(step for _, step in tied)
        widest = max(widest, abs(height))
    return widest
''',
        "drifted_features": '''
def drifted_features(pvalues, alpha=0.05):
    names = [name for name in pvalues if pvalues[name] is not None]
    names.sort(key=pvalues.__getitem__)
    adjusted, worst = {}, 0.0
    for i, name in enumerate(names):
        worst = max(worst, (len(names) - i) * pvalues[name])
        adjusted[name] = worst
    return {name for name, p in adjusted.items() if p < alpha}
''',
    },
    "2_chi_squared": {
        "count_table": '''
from collections import Counter

def count_table(reference, current):
    old, new = (Counter("(missing)" if pd.isna(v) else v for v in sample) for sample in (reference, current))
    return {level: (old[level], new[level]) for level in old | new}
''',
        "chi2_statistic": '''
def chi2_statistic(table):
    n, m = (sum(column) for column in zip(*table.values()))
    return sum((a * m - b * n) ** 2 / (a + b) for a, b in table.values() if a + b) / (n * m)
''',
        "merge_rare": '''
import heapq

def merge_rare(table, least=5):
    n, m = map(sum, zip(*table.values()))
    limit = least * (n + m) / min(n, m)
    heap = [(sum(row), level) for level, row in table.items()]
    heapq.heapify(heap)
    other, merged = [0, 0], set()
    while heap and (heap[0][0] < limit or 0 < sum(other) < limit):
        _, level = heapq.heappop(heap)
        merged.add(level)
        other = [other[0] + table[level][0], other[1] + table[level][1]]
    result = {level: row for level, row in table.items() if level not in merged}
    return result | ({"(other)": other} if merged else {})
''',
    },
    "3_psi": {
        "psi_from_counts": '''
from math import log

def psi_from_counts(reference_counts, current_counts):
    p, q = ([(c + 0.5) / (sum(counts) + 0.5 * len(counts)) for c in counts] for counts in (reference_counts, current_counts))
    return sum(b * log(b / a) + a * log(a / b) for a, b in zip(p, q))
''',
    },
    "4_daily_report": {
        "summarise": '''
def summarise(day, drift, missing):
    def named(part, status):
        return [name for name in part if part[name]["status"] == status]
    words = [entry["status"] for part in (drift, missing) for entry in part.values()]
    worst = next(word for word in ("ERROR", "FAIL", "SUCCESS") if word in words)
    return dict(day=day, status=worst, alarm=worst != "SUCCESS", drifted=named(drift, "FAIL"), missing=named(missing, "FAIL"),
                errors=list(dict.fromkeys(named(drift, "ERROR") + named(missing, "ERROR"))))
''',
        "score_alarms": '''
def score_alarms(alarms, start):
    false, missed, delay = 0, 0, None
    for day, alarm in enumerate(alarms):
        drifting = start is not None and day >= start
        false += alarm and not drifting
        missed += drifting and not alarm
        if drifting and alarm and delay is None:
            delay = day - start
    return {"false_alarms": int(false), "missed": int(missed), "delay": delay}
''',
    },
    "5_comparing_methods": {
        "fair_threshold": '''
def fair_threshold(scores, alpha=0.05):
    return sorted(scores, reverse=True)[int(alpha * len(scores) + 1e-9)]
''',
    },
}
