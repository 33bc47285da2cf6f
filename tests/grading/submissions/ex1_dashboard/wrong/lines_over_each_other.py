"""After a full line, y stays where it is."""
slips = {
    "2_dashboard": {
        "dashboard": [
            ('if number % 3 == 2 or number == len(mine) - 1:',
             'if number == len(mine) - 1:'),
        ],
    },
}
loses = {"2_dashboard": {"test_places": 2}}
