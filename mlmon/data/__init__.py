"""Data with known truth: populations, faults to put into them, and timelines that state what drifted, incidents that state their cause."""
from mlmon.data import incidents, inject, scenarios, tables

__all__ = ["incidents", "inject", "scenarios", "tables"]
