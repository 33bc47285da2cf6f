"""Asks that a thing is said once."""
slips = {
    "5_dag_tests_page": {
        "check_pipeline": [
            ('any(outcome in text for text in got["messages"])',
             'len([text for text in got["messages"] if outcome in text]) == 1'),
        ],
    },
}
loses = {"5_dag_tests_page": {"test_check_good": 2}}
