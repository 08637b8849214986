"""Where a process runs, and that no other variable is recorded."""

import os

from phase2.config import settings
from phase2.machine import place
from phase2.machine.code import detect_code
from phase2.machine.hardware import detect_hardware
from phase2.machine.place import detect_place


def test_place_comes_from_the_downward_api(monkeypatch):
    for name in (place.POD_VARIABLE, place.NAMESPACE_VARIABLE, settings.WORKFLOW_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(place.NODE_VARIABLE, "node-1")
    here = detect_place()
    assert (here.node, here.pod, here.process) == ("node-1", None, os.getpid())


def test_no_other_variable_is_recorded(monkeypatch):
    monkeypatch.setenv("SOME_TOKEN", "keep-this-secret")
    recorded = [record.model_dump_json() for record in (detect_code(), detect_hardware(), detect_place())]
    assert "keep-this-secret" not in "".join(recorded)
