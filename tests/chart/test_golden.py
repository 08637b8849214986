"""What each profile installs, as it was read and agreed on; what changes it shows what it changes."""

import os

from .rendering import CHART, PROFILES, PROJECT, parsed, values_of

GOLDEN = PROJECT / "tests" / "chart" / "golden"
UPDATE = "PHASE2_UPDATE_GOLDEN"


def test_rendered_profiles_are_the_golden_ones(helm, profile):
    path, made = GOLDEN / f"{profile}.yaml", without_templates(helm.text(profile))
    if os.environ.get(UPDATE):
        path.write_text(made)
    ours, theirs = by_name(made), by_name(path.read_text())
    assert ours.keys() == theirs.keys()
    for name, one in ours.items():
        assert one == theirs[name], f"set {UPDATE}=1 where this is meant, and read the difference"


def by_name(text):
    """The objects by kind and name; neither their order nor that of their keys means anything."""
    things = parsed(text)
    found = {(one["kind"], one["metadata"]["name"], hook_of(one)): one for one in things}
    assert len(found) == len(things)
    return found


def hook_of(one):
    """When Helm creates it by itself; the test and what takes its place afterwards have one name."""
    return one["metadata"].get("annotations", {}).get("helm.sh/hook")


def without_templates(text):
    """All but what test_sources compares with k8s/ and argo/ field by field: templates of workflows, policies."""
    compared = ("\nkind: WorkflowTemplate\n", "\nkind: ValidatingAdmissionPolicy\n")
    return "\n---\n".join(part for part in text.split("\n---\n") if not any(kind in part for kind in compared))


def test_every_profile_has_a_golden_file_and_none_is_left_over():
    assert {path.stem for path in GOLDEN.glob("*.yaml")} == PROFILES.keys()
    profiles = {path.name.removesuffix("-values.yaml") for path in (CHART / "ci").iterdir()}
    assert {"default", *profiles} == PROFILES.keys()


def test_lint_finds_nothing_even_where_it_is_strict(helm, profile):
    done = helm("lint", CHART, "--strict", "--quiet", *values_of(profile), check=False)
    assert done.returncode == 0, done.stdout + done.stderr
