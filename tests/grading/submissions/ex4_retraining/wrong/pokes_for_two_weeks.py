"""The sensor keeps its worker."""
slips = {
    "5_dag_tests_page": {
        "dag_file": [
            ('mode="reschedule", ',
             ''),
        ],
    },
}
loses = {"5_dag_tests_page": {"test_dag_watch": 1}}
