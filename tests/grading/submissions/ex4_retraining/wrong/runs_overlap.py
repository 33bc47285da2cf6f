"""Two runs may go at once."""
slips = {
    "5_dag_tests_page": {
        "dag_file": [
            (', max_active_runs=1',
             ', max_active_runs=16'),
        ],
    },
}
loses = {"5_dag_tests_page": {"test_dag_settings": 1}}
