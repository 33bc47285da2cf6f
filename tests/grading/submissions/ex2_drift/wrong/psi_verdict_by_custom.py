"""Decides by the customary 0.2 and leaves the limit aside."""
answers = {
    "3_psi": {
        "psi_verdict": '''
def psi_verdict(psi, threshold):
    severity = "large" if psi > 0.2 else "small" if psi > 0.1 else "none"
    return {"verdict": "drifted" if psi > 0.2 else "stable", "drifted": bool(psi > 0.2), "customary": severity, "reason": severity}
''',
    },
}
loses = {"3_psi": {"test_psi_verdict_word": 2}}
