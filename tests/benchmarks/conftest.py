# Benchmarks are run by `make bench` and `make prove`; workers import libraries that only their own environments hold.
collect_ignore_glob = ["*.py"]
