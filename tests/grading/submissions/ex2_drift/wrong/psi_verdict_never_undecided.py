"""Few rows are called stable."""
answers = {
    "3_psi": {
        "psi_verdict": '''
def psi_verdict(psi, threshold):
    psi, threshold = float(psi), float(threshold)
    customary = "large" if psi > 0.2 else "none" if psi < 0.1 else "small"
    if psi > threshold:
        verdict, reason = "drifted", f"PSI {psi:.3f} is more than the {threshold:.3f} that chance allows"
    elif threshold > 0.2:
        verdict, reason = "stable", f"chance alone reaches {threshold:.3f}: too few rows to call it stable"
    else:
        verdict, reason = "stable", f"PSI {psi:.3f} is within the {threshold:.3f} that chance allows"
    return {"verdict": verdict, "drifted": verdict == "drifted", "customary": customary, "reason": reason}
''',
    },
}
loses = {"3_psi": {"test_psi_verdict_word": 2}}
