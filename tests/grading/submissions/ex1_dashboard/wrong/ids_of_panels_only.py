"""Each row has the id 0."""
slips = {
    "2_dashboard": {
        "dashboard": [
            ('made.append({"id": len(made) + 1, "type"',
             'made.append({"id": 0 if type == "row" else len(made) + 1, "type"'),
        ],
    },
}
loses = {"2_dashboard": {"test_panels": 2}}
