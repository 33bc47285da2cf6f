"""SciPy with ten lines around it: KS or chi-squared, PSI over reference deciles, drift where any p < .05."""

from serve import serve


def make(task, reference, numeric, categorical):
    import numpy as np
    from scipy import stats

    values = {name: reference[name].dropna().to_numpy() for name in numeric}
    edges = {name: np.unique(np.quantile(values[name], np.linspace(0.1, 0.9, 9))) for name in numeric}
    counts = {name: reference[name].value_counts() for name in categorical}

    def psi(p, q):
        p, q = (p + 0.5) / (p + 0.5).sum(), (q + 0.5) / (q + 0.5).sum()
        return float(((q - p) * np.log(q / p)).sum())

    def binned(name, column):
        return np.bincount(np.searchsorted(edges[name], column), minlength=len(edges[name]) + 1)

    binned_reference = {name: binned(name, values[name]) for name in numeric}

    def run(current):
        found = {}
        for name in numeric:
            column = current[name].dropna().to_numpy()
            test = stats.ks_2samp(values[name], column)
            found[name] = test.statistic, test.pvalue, \
                task == "statistics" and psi(binned_reference[name], binned(name, column))
        for name in categorical:
            now = current[name].value_counts()
            levels = counts[name].index.union(now.index, sort=False)
            p, q = (each.reindex(levels, fill_value=0).to_numpy() for each in (counts[name], now))
            test = stats.chi2_contingency(np.array([p, q])[:, p + q > 0])
            found[name] = test.statistic, test.pvalue, task == "statistics" and psi(p, q)
        return found

    def read(found):
        if task == "statistics":
            return {"ks": {name: float(found[name][0]) for name in numeric}}
        features = [name for name, (_, pvalue, _) in found.items() if pvalue < 0.05]
        return {"drifted": bool(features), "features": features}

    return (lambda current: current), run, read


if __name__ == "__main__":
    serve(make)
