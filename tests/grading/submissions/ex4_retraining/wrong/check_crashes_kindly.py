"""Lets services die before they did their work only."""
slips = {
    "5_dag_tests_page": {
        "check_pipeline": [
            ('("set_alias champion", "set_alias previous_champion", "withdraw"):',
             '("set_alias champion", "set_alias previous_champion"):'),
            ('expect({"crash": [service, "after", 1]}, "PROMOTED", after)',
             'expect({"crash": [service, "before", 1]}, "PROMOTED", after)'),
        ],
    },
}
loses = {"5_dag_tests_page": {"test_check_aliases": 2}}
