"""One runbook for all that may happen, as many a team has it."""
answers = {
    "4_runbook": {
        "runbooks": '''
def runbooks():
    return {"HighDrift.md": "# HighDrift\\n\\nDrift is high. Check the data. Retrain the model if necessary. If in doubt contact Sam.\\n"}
''',
    },
}
loses = {"4_runbook": {"test_books": 1, "test_book_sections": 2, "test_book_diagnosis": 1, "test_book_queries": 2, "test_book_rollback": 1,
                       "test_book_agrees": 1, "test_book_links": 1}}
