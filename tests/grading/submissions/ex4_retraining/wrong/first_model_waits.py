"""No edge from validate to promote."""
slips = {
    "5_dag_tests_page": {
        "dag_file": [
            ('[deployed, rejected, promoted]',
             '[deployed, rejected]'),
        ],
    },
}
loses = {"5_dag_tests_page": {"test_dag_first": 1}}
