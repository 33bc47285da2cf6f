"""Another hash than everybody else's machine has."""
slips = {
    "1_trigger": {
        "split": [
            ('hashlib.sha256(who',
             'hashlib.md5(who'),
        ],
    },
}
loses = {"1_trigger": {"test_held_out": 2}}
