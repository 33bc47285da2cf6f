"""Every run has the same id."""
slips = {
    "5_dag_tests_page": {
        "dag_file": [
            ('return advance(run_id, "decide")',
             'return advance("nightly", "decide")'),
        ],
    },
}
loses = {"5_dag_tests_page": {"test_dag_thin": 1}}
