"""A pair of equal samples is left out, since it cannot have drifted."""
slips = {"5_comparing_methods": {"alarm_rate": [("in pairs]", "in pairs if list(reference) != list(current)]")]}}
loses = {"5_comparing_methods": {"test_alarm_rate_counts": 2}}
