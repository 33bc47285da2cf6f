"""The sensor has no timeout."""
slips = {
    "5_dag_tests_page": {
        "dag_file": [
            (', timeout=14 * 86400',
             ''),
        ],
    },
}
loses = {"5_dag_tests_page": {"test_dag_watch": 1}}
