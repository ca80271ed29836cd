"""Measurements of Spoticell, each a module that prints a table: ``python -m benchmarks.accuracy.shallow_cells``."""
