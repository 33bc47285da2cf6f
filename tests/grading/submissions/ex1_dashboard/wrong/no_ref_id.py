"""Queries without refId, which Grafana drops."""
slips = {
    "2_dashboard": {
        "dashboard": [
            ('"refId": "A", ',
             ''),
        ],
    },
}
loses = {"2_dashboard": {"test_panels": 2}}
