"""An outcome is missing."""
slips = {
    "5_dag_tests_page": {
        "page": [
            ('After CRASHED too:',
             'After a crash too:'),
        ],
    },
}
loses = {"5_dag_tests_page": {"test_page_outcomes": 1}}
