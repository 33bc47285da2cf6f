"""A model being served: what it measures, who is told, and the real servers that do it."""
