"""One column for each detector, in place of one row."""
answers = {
    "5_comparing_methods": {
        "compare": '''
def compare(detectors, cases):
    return pd.DataFrame([{"kind": case["kind"], "size": case["size"], "n": case["n"],
                          **{detector: alarm_rate(detector, case["pairs"])["rate"] for detector in detectors}} for case in cases])
''',
    },
}
loses = {"5_comparing_methods": {"test_compare_rows": 1, "test_compare_truth": 2}}
