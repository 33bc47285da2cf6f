"""Another custom: large from 0.25 on."""
slips = {"3_psi": {"psi_verdict": [("psi > 0.2 else", "psi > 0.25 else")]}}
loses = {"3_psi": {"test_psi_verdict_custom": 1}}
