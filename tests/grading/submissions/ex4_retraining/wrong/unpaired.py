"""Takes the two AUCs as if they came from different customers."""
slips = {
    "2_validate": {
        "auc_difference": [
            ('np.sqrt(v.var(ddof=1) / len(v) + w.var(ddof=1) / len(w))',
             'np.sqrt(sum(x.var(ddof=1) / len(x) for x in (v0, v1, w0, w1)))'),
        ],
    },
}
loses = {"2_validate": {"test_difference_interval": 2, "test_difference_itself": 1}}
