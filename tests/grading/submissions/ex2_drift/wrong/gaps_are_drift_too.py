"""A column with too many gaps is told among those that drifted as well."""
slips = {"4_daily_report": {"summarise": [('"drifted": drifted, "missing"', '"drifted": sorted({*drifted, *gaps}), "missing"')]}}
loses = {"4_daily_report": {"test_summarise_names": 1}}
