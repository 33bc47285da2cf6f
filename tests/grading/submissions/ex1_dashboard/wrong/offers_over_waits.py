"""Offers over waits are odds, not a share."""
slips = {
    "2_dashboard": {
        "queries": [
            ('decision="offer"}\', "churn_decisions_total"',
             'decision="offer"}\', \'churn_decisions_total{decision="wait"}\''),
        ],
    },
}
loses = {"2_dashboard": {"test_offer_share": 1}}
