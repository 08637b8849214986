"""Differences between two configurations."""

from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.runs.resume.config_diff import differences


def test_equal_configs_do_not_differ_and_long_lists_are_cut(resolved):
    other = resolve(RunRequest(algorithm="e3nn")).config
    assert differences(resolved.config, resolved.config) == ""
    shown = differences(resolved.config, other, most=2).split("; ")
    assert shown[0] == "algorithm: cgcnn -> e3nn"
    assert len(shown) == 3
    assert shown[2].startswith("and ")
