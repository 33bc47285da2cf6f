"""Nobody hears that there was nothing to compare with."""
slips = {
    "2_validate": {
        "gate": [
            ('"rubber_stamp": found["production"] is None',
             '"rubber_stamp": False'),
        ],
    },
}
loses = {"2_validate": {"test_gate_first": 1}}
