"""The command line: parses, calls, prints, and nothing else. Starts without torch."""

from phase2.cli.app import main

__all__ = ["main"]
