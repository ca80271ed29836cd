"""The command line, one file a command."""

from spoticell.cli.app import main

__all__ = ["main"]
