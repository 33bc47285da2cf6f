"""The file asks the pipeline when it is only read."""
slips = {
    "5_dag_tests_page": {
        "dag_file": [
            ('''def retraining():
''',
             '''def retraining():
    where("monday")
'''),
        ],
    },
}
loses = {"5_dag_tests_page": {"test_dag_thin": 1}}
