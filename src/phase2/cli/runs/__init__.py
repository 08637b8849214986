"""Commands about runs: list, show, compare, publish, verify, delete, pull."""
