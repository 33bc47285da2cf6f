"""The mean of the instances hides the one that drifts."""
slips = {
    "2_dashboard": {
        "queries": [
            ('max by (version, feature)',
             'avg by (version, feature)'),
        ],
    },
}
loses = {"2_dashboard": {"test_psi": 1}}
