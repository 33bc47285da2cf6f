"""Rows are folded, so that nobody sees their panels, and overrides are None."""
slips = {
    "2_dashboard": {
        "dashboard": [
            ('collapsed=False, panels=[]',
             'collapsed=True, panels=[]'),
            ('"overrides": []}',
             '"overrides": None}'),
        ],
    },
}
loses = {"2_dashboard": {"test_grafana": 1}}
