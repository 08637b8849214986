"""Renders the chart, each profile once."""

import copy
import subprocess
from functools import cache
from pathlib import Path

import yaml

PROJECT = Path(__file__).parents[2]
CHART = PROJECT / "charts" / "phase2-runner"
RELEASED = PROJECT / "tests" / "chart" / "released" / "phase2-runner-0.1.0.tgz"
"""The chart of the last release, as `make chart` packaged it."""
_OLD, _NEW = "1.31.0", "1.37.0"

# Profile -> the version of Kubernetes of its cluster.
PROFILES = {
    "default": _NEW,
    "kind": _NEW,
    "gpu": _NEW,
    "existing-s3": _OLD,
    "no-argo": _NEW,
    "locked-down": _OLD,
    "namespaced": _NEW,
}


class Helm:
    """The program, and what it makes of the chart."""

    def __init__(self, program):
        self._program = program
        self.text, self._parsed = cache(self._text), cache(self._parse)

    def __call__(self, *words, check=True, **more):
        command = [self._program, *map(str, words)]
        return subprocess.run(command, check=check, capture_output=True, text=True, **more)

    def objects(self, profile, *words):
        """What a profile installs, hooks included; every caller has a copy of its own."""
        return copy.deepcopy(self._parsed(profile, *words))

    def refusal(self, *words):
        """What is said against values; fails where they are taken."""
        done = self("template", "phase2", CHART, "--namespace", "phase2", *words, check=False)
        assert done.returncode != 0, f"{words} was taken"
        return done.stderr

    def _parse(self, profile, *words):
        return parsed(self.text(profile, *words))

    def _text(self, profile, *words):
        place = ["--namespace", "phase2", "--kube-version", PROFILES[profile]]
        return self("template", "phase2", CHART, *place, *values_of(profile), *words).stdout


def values_of(profile, folder=CHART / "ci"):
    """Options that give the values of a profile."""
    return [] if profile == "default" else ["--values", folder / f"{profile}-values.yaml"]


def parsed(text):
    """The objects in YAML."""
    return [one for one in yaml.load_all(text, Loader=yaml.CSafeLoader) if one]


def named(things, kind, name=None):
    """The one object of a kind, or of a kind and a name."""
    (found,) = [one for one in things if one["kind"] == kind and name in (None, one["metadata"]["name"])]
    return found


def of_kind(things, *kinds):
    """All objects of some kinds, by name."""
    return {one["metadata"]["name"]: one for one in things if one["kind"] in kinds}


def pod_specs(things):
    """The pods of what makes pods, by the name of the maker."""
    found = {}
    for one in filter(None, things):
        name, spec = f"{one['kind']}/{one['metadata']['name']}", one.get("spec")
        if one["kind"] == "Pod":
            found[name] = spec
        elif one["kind"] == "Deployment" or (one["kind"] == "Job" and spec.get("completions") != 0):
            found[name] = spec["template"]["spec"]
        elif one["kind"] == "CronJob":
            found[name] = spec["jobTemplate"]["spec"]["template"]["spec"]
    return found
