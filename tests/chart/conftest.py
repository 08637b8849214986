"""Helm itself, and what it makes of the chart with each profile."""

import os
import subprocess
import sys

import pytest

from .rendering import PROFILES, PROJECT, Helm


def built(name):
    """The path of a program of tools/programs, which is built from its Go module the first time."""
    command = [sys.executable, "-c", f"from tools.programs.{name} import {name}; print({name}())"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=PROJECT)
    if "install Go" in done.stderr and not os.environ.get("CI"):
        pytest.skip(f"{name} is built from its source: install Go")
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[-1]


@pytest.fixture(scope="session")
def helm():
    """The pinned Helm."""
    return Helm(built("helm"))


@pytest.fixture(scope="session")
def promtool():
    """The pinned checker of Prometheus."""
    return built("promtool")


@pytest.fixture(params=PROFILES)
def profile(request):
    """The name of a profile."""
    return request.param


@pytest.fixture
def objects(helm, profile):
    """The objects of a profile."""
    return helm.objects(profile)
