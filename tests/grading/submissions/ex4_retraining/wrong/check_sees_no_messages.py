"""Never looks at what people were told."""
slips = {
    "5_dag_tests_page": {
        "check_pipeline": [
            ('assert any(outcome in text for text in got["messages"]), f"{case}: nobody was told"',
             'pass'),
            ('assert action != "WAIT" or not got["messages"], "WAIT wakes somebody"',
             'pass'),
            ('assert any("CRASHED" in text for text in got["messages"]), "nobody hears of a crash when the clean-up dies"',
             'pass'),
        ],
    },
}
loses = {"5_dag_tests_page": {"test_check_told": 2}}
