"""Asks for the words of one's own messages: right pipelines fail."""
slips = {
    "5_dag_tests_page": {
        "check_pipeline": [
            ('any(outcome in text for text in got["messages"])',
             'any(text.startswith(outcome) for text in got["messages"])'),
        ],
    },
}
loses = {"5_dag_tests_page": {"test_check_good": 2, "test_check_gates": 2, "test_check_canary": 2, "test_check_aliases": 2, "test_check_told": 2}}
