"""promote runs when all above is done, whatever became of it."""
slips = {
    "5_dag_tests_page": {
        "dag_file": [
            ('TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS',
             'TriggerRule.ALL_DONE'),
        ],
    },
}
loses = {"5_dag_tests_page": {"test_dag_ends": 2}}
