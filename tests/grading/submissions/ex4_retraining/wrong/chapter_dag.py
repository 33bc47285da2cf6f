"""The chapter's DAG: schedule_interval is of Airflow 2."""
slips = {
    "5_dag_tests_page": {
        "dag_file": [
            ('schedule="@daily"',
             'schedule_interval="@daily"'),
        ],
    },
}
loses = {"5_dag_tests_page": {"test_dag_settings": 1, "test_dag_good": 2, "test_dag_ends": 2, "test_dag_first": 1, "test_dag_crash": 2, "test_dag_watch": 1, "test_dag_thin": 1}}
