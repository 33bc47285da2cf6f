"""Never looks at the traffic."""
slips = {
    "5_dag_tests_page": {
        "check_pipeline": [
            ('assert got["running"] is None,',
             'assert True,'),
        ],
    },
}
loses = {"5_dag_tests_page": {"test_check_canary": 2, "test_check_told": 2}}
