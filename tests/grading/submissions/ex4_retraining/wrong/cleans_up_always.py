"""The clean-up runs after every run."""
slips = {
    "5_dag_tests_page": {
        "dag_file": [
            ('TriggerRule.ONE_FAILED',
             'TriggerRule.ALL_DONE'),
        ],
    },
}
loses = {"5_dag_tests_page": {"test_dag_good": 2, "test_dag_ends": 2}}
