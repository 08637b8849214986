"""A count of what was done to the requests."""

from collections import Counter

import pytest

DONE = pytest.StashKey[Counter[str]]()


@pytest.fixture
def done(request: pytest.FixtureRequest) -> Counter[str]:
    """Operations and faults of the whole session, by name; printed at its end."""
    return request.config.stash.setdefault(DONE, Counter())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if counts := config.stash.get(DONE, None):
        line = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
        terminalreporter.write_line(f"Through the flaky network: {line}.")
