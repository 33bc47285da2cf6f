"""Notebooks 1 to 5 with pandas wherever it will do: cut, crosstab, value_counts, merge."""
answers = {
    "1_ks": {
        "ks_statistic": '''
def ks_statistic(reference, current):
    both = pd.concat([pd.Series(list(reference)).to_frame("x").assign(f=1 / len(reference), g=0.0),
                      pd.Series(list(current)).to_frame("x").assign(f=0.0, g=1 / len(current))])
    steps = both.groupby("x")[["f", "g"]].sum().sort_index().cumsum()
    return (steps["f"] - steps["g"]).abs().max()
''',
        "ks_test": '''
def ks_test(reference, current, alpha=0.05, min_effect=0.0):
    a, b = pd.Series(list(reference), dtype=float), pd.Series(list(current), dtype=float)
    out = dict(verdict="undecided", drifted=False, statistic=None, pvalue=None, reason="fewer than five values in a sample",
               missing_reference=float(a.isna().mean()) if len(a) else 0.0, missing_current=float(b.isna().mean()) if len(b) else 0.0)
    if a.count() < 5 or b.count() < 5:
        return out
    test = stats.ks_2samp(a.dropna(), b.dropna())
    out["statistic"], out["pvalue"] = float(test.statistic), float(test.pvalue)
    out["drifted"] = bool((test.pvalue < alpha) & (test.statistic >= min_effect))
    out["verdict"] = {True: "drifted", False: "stable"}[out["drifted"]]
    out["reason"] = "p = %.3g" % test.pvalue
    return out
''',
        "drifted_features": '''
def drifted_features(pvalues, alpha=0.05):
    p = pd.Series(pvalues, dtype=float).dropna().sort_values()
    limits = alpha / np.arange(len(p), 0, -1)
    return p.index[(p.to_numpy() < limits).cumprod().astype(bool)].tolist()
''',
    },
    "2_chi_squared": {
        "count_table": '''
def count_table(reference, current):
    counts = pd.concat([pd.Series(list(sample), dtype=object).fillna("(missing)").value_counts() for sample in (reference, current)],
                       axis=1).fillna(0).astype(int)
    return {level: row.tolist() for level, row in zip(counts.index, counts.to_numpy())}
''',
        "chi2_statistic": '''
def chi2_statistic(table):
    seen = pd.DataFrame(table, index=["reference", "current"]).T
    seen = seen[seen.sum(axis=1) > 0]
    due = pd.DataFrame(np.outer(seen.sum(axis=1), seen.sum()) / seen.to_numpy().sum(), seen.index, seen.columns)
    return ((seen - due) ** 2 / due).sum().sum()
''',
        "merge_rare": '''
def merge_rare(table, least=5):
    frame = pd.DataFrame(table, index=["old", "new"]).T
    total = frame.sum(axis=1).sort_values(kind="stable")
    share = frame.sum().min() / frame.to_numpy().sum()
    count = int((total * share < least).sum())
    while 0 < count < len(total) and total.iloc[:count].sum() * share < least:
        count += 1
    rare = total.index[:count]
    result = {level: [int(v) for v in row] for level, row in zip(frame.index, frame.to_numpy()) if level not in rare}
    if count:
        result["(other)"] = [int(v) for v in frame.loc[rare].sum()]
    return result
''',
    },
    "3_psi": {
        "psi_from_counts": '''
def psi_from_counts(reference_counts, current_counts):
    frame = pd.DataFrame({"p": list(reference_counts), "q": list(current_counts)}) + 0.5
    frame = frame / frame.sum()
    return float(((frame.q - frame.p) * (np.log(frame.q) - np.log(frame.p))).sum())
''',
        "bin_counts": '''
def bin_counts(reference, current, bins=10):
    old, new = pd.Series(list(reference), dtype=float), pd.Series(list(current), dtype=float)
    low, high = old.min(), old.max()
    edges = sorted({-np.inf, np.nextafter(low, -np.inf), *old.quantile(np.arange(1, bins) / bins), high, np.inf})
    return tuple(pd.cut(sample, edges, labels=False).value_counts().reindex(range(len(edges) - 1), fill_value=0).tolist()
                 + [int(sample.isna().sum())] for sample in (old, new))
''',
        "psi_features": '''
def psi_features(reference, current, bins=10):
    def one(name):
        if name not in current:
            return None
        a, b = reference[name], current[name]
        if pd.api.types.is_numeric_dtype(a):
            return psi_from_counts(*bin_counts(a, b, bins))
        which = ["a"] * len(a) + ["b"] * len(b)
        what = pd.concat([a.astype(object), b.astype(object)]).fillna("(missing)").to_numpy()
        counts = pd.crosstab(what, which)
        return psi_from_counts(counts["a"], counts["b"])
    return {name: one(name) for name in reference}
''',
    },
    "4_daily_report": {
        "summarise": '''
def summarise(day, drift, missing):
    frame = pd.concat([pd.DataFrame(part).T.assign(part=name) for name, part in (("drift", drift), ("missing", missing))])
    frame = frame.rename_axis("column").reset_index()
    fails = frame[frame["status"] == "FAIL"]
    worst = frame["status"].map({"SUCCESS": 0, "FAIL": 1, "ERROR": 2}).max()
    return {"day": day, "status": ["SUCCESS", "FAIL", "ERROR"][worst], "alarm": bool(worst > 0),
            "drifted": fails.loc[fails["part"] == "drift", "column"].tolist(),
            "missing": fails.loc[fails["part"] == "missing", "column"].tolist(),
            "errors": frame.loc[frame["status"] == "ERROR", "column"].drop_duplicates().tolist()}
''',
        "score_alarms": '''
def score_alarms(alarms, start):
    row = pd.Series(alarms, dtype=bool)
    due = pd.Series(range(len(row))) >= (len(row) if start is None else start)
    hits = row[row & due]
    return {"false_alarms": int((row & ~due).sum()), "missed": int((~row & due).sum()),
            "delay": int(hits.index[0] - start) if len(hits) else None}
''',
    },
    "5_comparing_methods": {
        "fair_threshold": '''
def fair_threshold(scores, alpha=0.05):
    return pd.Series(scores).quantile(1 - alpha, interpolation="lower")
''',
        "compare": '''
def compare(detectors, cases):
    frame = pd.DataFrame({"detector": detectors}).merge(pd.DataFrame(cases), how="cross")
    found = [alarm_rate(row.detector, row.pairs) for row in frame.itertuples()]
    frame = pd.concat([frame.drop(columns="pairs"), pd.DataFrame(found)[["alarms", "runs", "rate"]]], axis=1)
    frame[["low", "high"]] = [wilson(a, r) for a, r in zip(frame["alarms"], frame["runs"])]
    return frame
''',
    },
}
