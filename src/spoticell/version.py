"""The version of Spoticell, stated once in code and once in ``pyproject.toml``."""

__version__ = "0.1.0"
