"""Holds out rows, not customers."""
slips = {
    "1_trigger": {
        "split": [
            ('if held_out(row["who"], share):',
             '''if held_out(f"{row['who']} {place}", share):'''),
        ],
    },
}
loses = {"1_trigger": {"test_split_sides": 2}}
