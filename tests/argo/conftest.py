"""The first step of a workflow, run as its container runs it."""

import contextlib
import io
import json
import os

import pytest

from phase2.cli import main

from .manifests import TEMPLATES
from .rendering import render_pod


@pytest.fixture
def first_step(monkeypatch, tmp_path_factory):
    """Run the first step of a template with parameters and the installation's ConfigMap; returns what it found."""

    def run(parameters=None, installation=None, template="phase2-train"):
        step = "validate" if template == "phase2-train" else "expand"
        folder, configured = tmp_path_factory.mktemp("results"), tmp_path_factory.mktemp("installation")
        for key, text in (installation or {}).items():
            (configured / key).write_text(text)
        pod = render_pod(TEMPLATES[template], step, parameters)
        (container,) = (one for one in pod["spec"]["containers"] if one["name"] == "main")
        words = [str(folder) if word == "/work" else word for word in container["args"]]
        with monkeypatch.context() as patch:
            for name in list(os.environ):
                if name.startswith("PHASE2_"):
                    patch.delenv(name)
            for variable in container["env"]:
                if variable.get("value") and not variable["name"].endswith(("CACHE_DIR", "TERMINATION_LOG", "HOME")):
                    patch.setenv(variable["name"], variable["value"])
            patch.setenv("PHASE2_INSTALLATION", str(configured))
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                assert main(words) == 0
        found = {path.name: path.read_text() for path in folder.iterdir()}
        return found | {"runs": json.loads(found.pop("runs.json", "[]"))}

    return run
