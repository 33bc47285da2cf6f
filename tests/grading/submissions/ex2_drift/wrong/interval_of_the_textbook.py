"""The textbook interval: 0 alarms in 100 become 0 plus or minus 0."""
answers = {
    "5_comparing_methods": {
        "wilson": '''
def wilson(alarms, runs, level=0.95):
    z, rate = stats.norm.isf((1 - level) / 2), alarms / runs
    half = z * np.sqrt(rate * (1 - rate) / runs)
    return float(max(0, rate - half)), float(min(1, rate + half))
''',
    },
}
loses = {"5_comparing_methods": {"test_wilson_value": 2, "test_wilson_ends": 1}}
