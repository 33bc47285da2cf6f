"""Looks at the good night only."""
slips = {
    "5_dag_tests_page": {
        "check_pipeline": [
            ('''after = {"champion": "8", "previous_champion": "7"}
''',
             '''after = {"champion": "8", "previous_champion": "7"}
    return expect({}, "PROMOTED", after)
'''),
        ],
    },
}
loses = {"5_dag_tests_page": {"test_check_gates": 2, "test_check_canary": 2, "test_check_aliases": 2, "test_check_told": 2}}
