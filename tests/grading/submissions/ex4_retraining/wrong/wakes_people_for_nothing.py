"""Says every night that all is well."""
slips = {
    "4_pipeline": {
        "advance": [
            ('if state["action"] != "WAIT":',
             'if True:'),
        ],
    },
}
loses = {"4_pipeline": {"test_advance_notify": 1}}
