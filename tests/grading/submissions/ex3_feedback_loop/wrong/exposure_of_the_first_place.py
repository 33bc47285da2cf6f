"""Only the item on top of each slate counts as shown."""
slips = {"1_gini": {"exposure": [("np.asarray(slates, dtype=int).ravel()", "np.asarray(slates, dtype=int)[:, 0]")]}}
loses = {"1_gini": {"test_exposure_counts": 2, "test_exposure_never_shown": 1}}
