"""Forgets k."""
answers = {
    "1_gini": {
        "coverage_at": '''
def coverage_at(slates, n_items, k):
    return len({item for slate in slates for item in slate}) / n_items
''',
    },
}
loses = {"1_gini": {"test_coverage_at": 2}}
