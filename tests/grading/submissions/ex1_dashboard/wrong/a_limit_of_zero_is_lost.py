"""`if limit`: 0 is none."""
slips = {
    "2_dashboard": {
        "dashboard": [
            ('if panel.get("limit") is not None:',
             'if panel.get("limit"):'),
        ],
    },
}
loses = {"2_dashboard": {"test_limits": 1}}
