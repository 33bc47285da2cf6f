"""Values that have become smaller are no alarm."""
slips = {
    "5_comparing_methods": {
        "alarm_rate": [("alarms, undecided = ", 'verdicts = ["stable" if verdict == "drifted" and max(current) < max(reference) else verdict\n'
                        "                for verdict, (reference, current) in zip(verdicts, pairs)]\n    alarms, undecided = ")],
    },
}
loses = {"5_comparing_methods": {"test_alarm_rate_counts": 2}}
