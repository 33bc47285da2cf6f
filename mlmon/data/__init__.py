"""Data with known truth: populations, faults to put into them, and timelines that state what drifted."""
from mlmon.data import inject, scenarios, tables

__all__ = ["inject", "scenarios", "tables"]
