"""The past is learned from, the present judges, customers are on both sides."""
slips = {
    "1_trigger": {
        "split": [
            ('''if held_out(row["who"], share):
            if row["at"] >= start:
                parts["holdout"].append(place)
        elif row["at"] < start:''',
             '''if row["at"] >= start:
            parts["holdout"].append(place)
        else:'''),
        ],
    },
}
loses = {"1_trigger": {"test_split_time": 2, "test_split_sides": 2}}
