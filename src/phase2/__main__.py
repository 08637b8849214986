"""``python -m phase2`` is the ``phase2`` command."""

from typing import NoReturn

from phase2.cli import main
from phase2.cli.process.exit import run_and_exit


def command() -> NoReturn:
    """Run the command line of this process and end with its exit code."""
    run_and_exit(main)


if __name__ == "__main__":
    command()
