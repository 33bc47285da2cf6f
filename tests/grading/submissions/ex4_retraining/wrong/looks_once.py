"""The canary is looked at once, and what comes next is taken for an answer."""
slips = {
    "5_dag_tests_page": {
        "dag_file": [
            ('is_done=advance(run_id, "watch") != "watch"',
             'is_done=advance(run_id, "watch") is not None'),
        ],
    },
}
loses = {"5_dag_tests_page": {"test_dag_good": 2, "test_dag_ends": 2}}
