"""Loops and dicts all through, no NumPy."""
answers = {
    "1_gini": {
        "exposure": '''
def exposure(slates, n_items):
    counts = [0] * n_items
    for slate in slates:
        for item in slate:
            counts[item] += 1
    return counts
''',
        "gini": '''
def gini(counts):
    counts = [float(c) for c in counts]
    total = sum(counts)
    if total == 0:
        return None
    apart = sum(abs(a - b) for a in counts for b in counts)
    return apart / (2 * len(counts) * total)
''',
        "coverage_at": '''
def coverage_at(slates, n_items, k):
    seen = [False] * n_items
    for slate in slates:
        for place, item in enumerate(slate):
            if place < k:
                seen[item] = True
    return sum(seen) / n_items
''',
    },
    "2_epsilon_greedy": {
        "greedy": '''
def greedy(rates, k):
    return sorted(range(len(rates)), key=lambda item: -rates[item])[:k]
''',
        "epsilon_greedy": '''
import random

def epsilon_greedy(rates, k, epsilon, seed):
    rng = random.Random(seed)
    slate = sorted(range(len(rates)), key=lambda item: -rates[item])[:k]
    keep = [rng.random() >= epsilon for _ in range(k)]
    kept = {item for item, stays in zip(slate, keep) if stays}
    free = [item for item in range(len(rates)) if item not in kept]
    rng.shuffle(free)
    return [item if stays else free.pop() for item, stays in zip(slate, keep)]
''',
        "ips": '''
def ips(rewards, propensities, targets):
    total = 0.0
    for r, p, q in zip(rewards, propensities, targets):
        if not 0 < p <= 1:
            raise ValueError("a propensity is no chance; log it")
        total += q / p * r
    return total / len(rewards)
''',
    },
}
