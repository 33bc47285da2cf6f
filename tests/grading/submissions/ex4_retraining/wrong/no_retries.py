"""A task that fails once has failed."""
slips = {
    "5_dag_tests_page": {
        "dag_file": [
            ('"retries": 1,',
             '"retries": 0,'),
        ],
    },
}
loses = {"5_dag_tests_page": {"test_dag_crash": 2}}
