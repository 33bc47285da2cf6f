"""The first step asks to think, and has no command."""
slips = {
    "4_runbook": {
        "runbooks": [
            ('Diagnosis="1. Since when?" + query("time()',
             'Diagnosis="1. Think about what has changed.\\n2. Since when?" + query("time()'),
        ],
    },
}
loses = {"4_runbook": {"test_book_diagnosis": 1}}
