"""Speed, calibration and power of `mlmon.drift` beside its peers: ``python -m tests.benchmarks``."""
