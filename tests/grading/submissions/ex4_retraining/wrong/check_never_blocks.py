"""Never lets the trigger say no."""
slips = {
    "5_dag_tests_page": {
        "check_pipeline": [
            ('for action in ("BLOCK", "TRIAGE", "WAIT"):',
             'for action in ("WAIT",):'),
        ],
    },
}
loses = {"5_dag_tests_page": {"test_check_gates": 2}}
