"""A panel that shows the score only while all is well."""
slips = {
    "2_dashboard": {
        "my_dashboard": [
            ('"expr": asked[name]',
             '"expr": f"({asked[name]}) and on (version) ({asked[\'error share\']}) < 0.05"'),
        ],
    },
}
loses = {"2_dashboard": {"test_faults": 2}}
