"""The chapter's own trigger: drift or a fall trains, whatever the data are."""
slips = {
    "1_trigger": {
        "decide": [
            ('if evidence["quality"] != "STABLE":',
             '''if (drifted := evidence["drift"] == "DRIFTED") or "DRIFTED" in (evidence["performance"], evidence["estimated"]):
        return {"action": "RETRAIN", "reason": f"drift {drifted}, so the model is trained again"}
    if evidence["quality"] != "STABLE":'''),
        ],
    },
}
loses = {"1_trigger": {"test_decide_quality": 2, "test_decide_drift": 2, "test_decide_labels": 1, "test_decide_cooldown": 1, "test_decide_reason": 1}}
