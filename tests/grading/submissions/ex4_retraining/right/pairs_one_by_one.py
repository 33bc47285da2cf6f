"""Loops over pairs."""
answers = {
    "2_validate": {
        "auc_difference": '''
def points(one, other):
    return 1.0 if one > other else 0.5 if one == other else 0.0


def auc(y, scores):
    up = [s for s, label in zip(scores, y) if label == 1]
    down = [s for s, label in zip(scores, y) if label == 0]
    if not (up and down):
        raise ValueError("no pairs")
    return sum(points(a, b) for a in up for b in down) / (len(up) * len(down))


def auc_difference(y, candidate, production, confidence=0.95):
    up, down = [i for i in range(len(y)) if y[i] == 1], [i for i in range(len(y)) if y[i] == 0]
    table = [[points(candidate[i], candidate[j]) - points(production[i], production[j]) for j in down] for i in up]
    v = [sum(row) / len(down) for row in table]
    w = [sum(column) / len(up) for column in zip(*table)]
    d = sum(v) / len(v)
    spread = sum((x - d) ** 2 for x in v) / (len(v) - 1) / len(v) + sum((x - d) ** 2 for x in w) / (len(w) - 1) / len(w)
    z = -stats.norm.ppf((1 - confidence) / 2)
    return {"difference": d, "low": d - z * spread**0.5, "high": d + z * spread**0.5}
''',
    },
}
