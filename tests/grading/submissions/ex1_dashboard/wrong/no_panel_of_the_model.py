"""Four layers: nobody asks whether the model is right."""
slips = {
    "2_dashboard": {
        "my_dashboard": [
            ('        ("Precision of offers", "model", "precision", "percentunit", None),\n',
             ''),
        ],
    },
}
loses = {"2_dashboard": {"test_layers": 2}}
