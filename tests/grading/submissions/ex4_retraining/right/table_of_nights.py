"""A table of nights and what must come out."""
answers = {
    "5_dag_tests_page": {
        "check_pipeline": '''
NIGHTS = [
    ({}, "PROMOTED", "8", "7"), ({"approved": False}, "REJECTED", "7", "6"), ({"action": "BLOCK"}, "SKIPPED", "7", "6"), ({"action": "TRIAGE"}, "SKIPPED", "7", "6"),
    ({"action": "WAIT"}, "SKIPPED", "7", "6"), ({"canary": ["ROLL_BACK"]}, "ROLLED_BACK", "7", "6"), ({"canary": ["HOLD"] * 4 + ["ROLL_BACK"]}, "ROLLED_BACK", "7", "6"),
    ({"canary": ["HOLD"] * 4 + ["PROMOTE"]}, "PROMOTED", "8", "7"), ({"champion": None, "previous": None}, "PROMOTED", "8", None),
    *[({"crash": [service, when, times]}, "PROMOTED", "8", "7") for service in ("train", "watch", "withdraw", "set_alias", "set_alias champion", "notify") for when in ("before", "after") for times in (1, 2)],
    *[({"crash": [service, "before", 9]}, "CRASHED", "7", "6") for service in ("train", "validate", "deploy", "watch")],
]


def check_pipeline(run):
    for case, outcome, champion, previous in NIGHTS:
        got = run(case)
        seen = (got["outcome"], got["aliases"].get("champion"), got["aliases"].get("previous_champion"), got["running"])
        if seen != (outcome, champion, previous, None):
            raise AssertionError(f"{case} gave {seen}")
        told = any(outcome in text for text in got["messages"])
        if told == (case.get("action") == "WAIT"):
            raise AssertionError(f"{case}: {got['messages']}")
        services = {entry[0] for entry in got["log"]}
        if outcome in ("SKIPPED", "REJECTED") or case.get("champion", "") is None:
            assert "deploy" not in services, case
        elif outcome == "PROMOTED":
            first = next(i for i, entry in enumerate(got["log"]) if entry[0] == "set_alias")
            assert "watch" in [entry[0] for entry in got["log"][:first]], case
    forever = run({"canary": ["HOLD"]})
    assert forever["aliases"]["champion"] == "7", "HOLD is no yes"
''',
        "page": '''
def page():
    return """
# Retraining, for the night shift

Words that you will see: PROMOTED, REJECTED, ROLLED_BACK, SKIPPED, CRASHED.

## What it does
Decides, trains, validates, gives the candidate a tenth of the customers, watches, and promotes it or takes it away again.

## When it trains
On sound data only, when performance fell or the model is a month old, and a thousand labels are there.

## When it goes back
By itself when the canary fails or harms, or proves nothing in two weeks. By hand in the morning after a bad promotion.

## By hand
To start a run now, whatever the hour of the day may be:
```sh
airflow dags trigger retraining
```
To bring the previous champion back at once:
```sh
retrainctl restore
```

## What it cannot see
Customers who were refused, small groups of customers, and whatever breaks for the control just as it breaks for the candidate.

## See also
The notebooks.
"""
''',
    },
}
