"""The customary 0.2, whatever the number of rows."""
answers = {
    "3_psi": {
        "psi_threshold": '''
def psi_threshold(n, m, bins=10, alpha=0.05):
    return 0.2
''',
    },
}
loses = {"3_psi": {"test_psi_threshold": 2}}
