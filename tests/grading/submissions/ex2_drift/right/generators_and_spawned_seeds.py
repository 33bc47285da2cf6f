"""The comparison with spawned seeds, sampling by row number, and quantiles."""
answers = {
    "5_comparing_methods": {
        "draw_pair": '''
def draw_pair(kind, size, n, seed):
    one, two, three = np.random.SeedSequence(seed).spawn(3)
    incomes = POOL["income"].to_numpy()
    reference = np.random.default_rng(one).choice(incomes, n)
    current = pd.DataFrame({"income": np.random.default_rng(two).choice(incomes, n)})
    if kind == "none":
        return reference, current["income"].to_numpy()
    changed = current.pipe(FAULTS[kind], "income", size, seed=int(three.generate_state(1)[0]))
    return reference, changed["income"].to_numpy()
''',
        "fair_threshold": '''
def fair_threshold(scores, alpha=0.05):
    return float(np.quantile(scores, 1 - alpha, method="inverted_cdf"))
''',
        "compare": '''
def compare(detectors, cases):
    columns = {name: [] for name in ["detector", "kind", "size", "n", "alarms", "runs", "rate", "low", "high"]}
    for detector in detectors:
        for case in cases:
            found = alarm_rate(detector, case["pairs"])
            interval = wilson(found["alarms"], found["runs"])
            values = [detector, case["kind"], case["size"], case["n"], found["alarms"], found["runs"], found["rate"], *interval]
            for name, value in zip(columns, values):
                columns[name].append(value)
    return pd.DataFrame(columns)
''',
    },
}
