"""A rejected candidate is nobody's news."""
slips = {
    "4_pipeline": {
        "advance": [
            ('if state["action"] != "WAIT":',
             'if state["action"] != "WAIT" and step != "reject":'),
        ],
    },
}
loses = {"4_pipeline": {"test_advance_notify": 1}}
