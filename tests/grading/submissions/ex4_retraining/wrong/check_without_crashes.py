"""No service ever dies in its tests."""
slips = {
    "5_dag_tests_page": {
        "check_pipeline": [
            ('for service in ("set_alias champion", "set_alias previous_champion", "withdraw"):',
             'for service in ():'),
            ('expect({"crash": ["watch", "before", 9]}, "CRASHED", before)',
             ''),
            ('''got = run({"crash": ["withdraw", "before", 9]})
    assert any("CRASHED" in text for text in got["messages"]), "nobody hears of a crash when the clean-up dies"''',
             ''),
        ],
    },
}
loses = {"5_dag_tests_page": {"test_check_aliases": 2, "test_check_told": 2}}
