"""Takes 1.64 for 1.96: the level is split to one side only."""
answers = {
    "5_comparing_methods": {
        "wilson": '''
def wilson(alarms, runs, level=0.95):
    z, rate = stats.norm.isf(1 - level), alarms / runs
    middle = (rate + z**2 / (2 * runs)) / (1 + z**2 / runs)
    half = z * np.sqrt(rate * (1 - rate) / runs + z**2 / (4 * runs**2)) / (1 + z**2 / runs)
    return float(max(0, middle - half)), float(min(1, middle + half))
''',
    },
}
loses = {"5_comparing_methods": {"test_wilson_value": 2, "test_wilson_ends": 1}}
