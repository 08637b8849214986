"""Finding a submitted run by a name or a prefix."""

from dataclasses import dataclass

import pytest

from phase2.cluster.lookup import find_submitted, match_submitted
from phase2.errors import RequestError


@dataclass(frozen=True)
class Submitted:
    run_id: str
    name: str
    created: str = "2026-11-24T12:00:00Z"


FIRST = Submitted("phase2-x7k2p", "phase2-x7k2p")
AGAIN = Submitted("phase2-x7k2p", "phase2-b4d9q", "2026-11-24T13:00:00Z")
"""A Workflow that resumes the run of another one."""
OTHER = Submitted("phase2-b5", "phase2-phase2-b5")


@pytest.mark.parametrize("runs", [[FIRST, AGAIN, OTHER], [AGAIN, OTHER, FIRST]], ids=str)
@pytest.mark.parametrize("name", ["phase2-x7k2p", "phase2-x7", "phase2-b4d9q", "phase2-b4"])
def test_of_several_objects_of_one_run_the_newest_is_found(runs, name):
    assert find_submitted(runs, name) == AGAIN


def test_a_prefix_of_several_runs_is_refused():
    with pytest.raises(RequestError, match=r"'phase2' may be any of 2 runs\.") as refused:
        match_submitted([FIRST, AGAIN, OTHER], "phase2")
    assert "phase2-b5, phase2-x7k2p begin with it" in str(refused.value.why)


def test_without_a_match_the_nearest_name_is_suggested():
    assert match_submitted([FIRST], "hurz") is None
    with pytest.raises(RequestError, match="There is no run 'phase2-x7k2q'") as refused:
        find_submitted([FIRST], "phase2-x7k2q")
    assert "Did you mean 'phase2-x7k2p'?" in str(refused.value.fix)
