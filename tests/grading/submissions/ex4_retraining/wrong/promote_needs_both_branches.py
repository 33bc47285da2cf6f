"""promote keeps the rule ALL_SUCCESS: the first model is never promoted."""
slips = {
    "5_dag_tests_page": {
        "dag_file": [
            ('@task(trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS)',
             '@task'),
        ],
    },
}
loses = {"5_dag_tests_page": {"test_dag_first": 1}}
