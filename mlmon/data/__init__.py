"""Data with known truth: tables to sample, faults to inject, scenarios that tell what happened."""
