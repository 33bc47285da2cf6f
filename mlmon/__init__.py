"""Watching machine-learning systems in production."""
__version__ = "0.1.0"
