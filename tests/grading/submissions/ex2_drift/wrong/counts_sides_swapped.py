"""The two samples change places in the table."""
slips = {"2_chi_squared": {"count_table": [("enumerate((reference, current))", "enumerate((current, reference))")]}}
loses = {"2_chi_squared": {"test_count_table_counts": 2, "test_count_table_levels": 1, "test_count_table_missing": 1}}
