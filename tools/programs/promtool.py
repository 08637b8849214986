"""Prometheus' own checker of rules."""

from pathlib import Path

from tools.programs.go import go_program

VERSION = "v0.316.0"  # Prometheus 3.16.0


def promtool() -> Path:
    """Return the path of promtool, built from its Go module the first time."""
    # Without the plugins that find targets in clouds, which are most of Prometheus.
    package = "github.com/prometheus/prometheus/cmd/promtool"
    return go_program("promtool", package, VERSION, "-tags", "remove_all_sd")
