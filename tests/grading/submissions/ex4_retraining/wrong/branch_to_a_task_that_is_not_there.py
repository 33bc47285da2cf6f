"""The chapter's slip: a branch names a task of another name."""
slips = {
    "5_dag_tests_page": {
        "dag_file": [
            ('''def validate(run_id=None):
        return advance(run_id, "validate")''',
             '''def validate(run_id=None):
        return {"deploy": "promote_to_staging"}.get(following := advance(run_id, "validate"), following)'''),
        ],
    },
}
loses = {"5_dag_tests_page": {"test_dag_good": 2, "test_dag_ends": 2, "test_dag_crash": 2}}
