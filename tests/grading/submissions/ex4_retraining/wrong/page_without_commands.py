"""Says by hand in words."""
slips = {
    "5_dag_tests_page": {
        "page": [
            ('''```sh
airflow dags trigger retraining
```''',
             'Open the list of DAGs and press the button.'),
        ],
    },
}
loses = {"5_dag_tests_page": {"test_page_commands": 1}}
