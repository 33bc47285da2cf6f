"""The last task is the clean-up, which goes well."""
slips = {
    "5_dag_tests_page": {
        "dag_file": [
            ('steps >> tidy() >> close()',
             'steps >> tidy()'),
        ],
    },
}
loses = {"5_dag_tests_page": {"test_dag_crash": 2}}
