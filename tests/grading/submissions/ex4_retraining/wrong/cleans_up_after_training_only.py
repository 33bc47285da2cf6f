"""The clean-up stands below one step."""
slips = {
    "5_dag_tests_page": {
        "dag_file": [
            ('steps >> tidy() >> close()',
             '''tidied = tidy()
    trained >> tidied
    [*steps, tidied] >> close()'''),
        ],
    },
}
loses = {"5_dag_tests_page": {"test_dag_crash": 2}}
