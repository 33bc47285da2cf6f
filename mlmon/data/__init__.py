"""Data with known truth: populations, faults to put into them, and timelines that state what drifted, incidents that state their cause, scrapes of a service."""
from mlmon.data import incidents, inject, scenarios, scrapes, tables

__all__ = ["incidents", "inject", "scenarios", "scrapes", "tables"]
