"""It does not say what it cannot see."""
slips = {
    "5_dag_tests_page": {
        "page": [
            ('## What it cannot see',
             '## Contact'),
        ],
    },
}
loses = {"5_dag_tests_page": {"test_page_sections": 1}}
