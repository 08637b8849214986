"""``phase2 status`` on terminals of several widths."""

from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console
from rich.table import Table

from phase2.cli.cluster.status_table import list_states
from phase2.cluster.run_state import RunState

LONG_ID = "20261129T170010Z-cgcnn-competition-ab3"
CAUSE = "cannot be scheduled: 0/3 nodes are available: 3 Insufficient nvidia.com/gpu; ask for fewer GPUs (--gpus)"


def state(run_id, message, *, mode="pro"):
    return RunState(
        run_id=run_id,
        kind="Job",
        name=f"phase2-{run_id}",
        namespace="team-materials",
        algorithm="cgcnn",
        mode=mode,
        state="blocked",
        message=message,
        attempt=1,
        pod=None,
        node=None,
        exit_code=None,
        created=datetime.now(UTC) - timedelta(minutes=90),
        ended=None,
        command="phase2 submit",
    )


def lines(shown, width):
    console = Console(width=width)
    with console.capture() as captured:
        console.print(shown)
    return [each.rstrip() for each in captured.get().splitlines()]


@pytest.mark.parametrize("shows_namespace", [False, True])
@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 160, 240])
def test_an_id_and_a_state_are_whole_at_every_width(width, shows_namespace):
    shown = list_states([state(LONG_ID, CAUSE), state("short", "waits")], shows_namespace=shows_namespace, width=width)
    found = lines(shown, width)
    assert all(len(each) <= width for each in found)
    (own,) = [each for each in found if LONG_ID in each]
    assert any("blocked" in each for each in found[found.index(own) : found.index(own) + 2])
    words = " ".join(" ".join(each.split()) for each in found)
    assert "GPUs (--gpus)" in words
    assert ("team-materials" in words) == shows_namespace


def test_a_narrow_list_has_a_paragraph_for_each_run():
    assert lines(list_states([state(LONG_ID, CAUSE)], shows_namespace=True, width=60), 60) == [
        LONG_ID,
        "  blocked: cannot be scheduled: 0/3 nodes are available: 3",
        "  Insufficient nvidia.com/gpu; ask for fewer GPUs (--gpus)",
        "  cgcnn pro, submitted 90 min ago, in team-materials",
    ]


def test_what_is_not_known_yet_is_left_out():
    unknown = state("phase2-x7k2p", "waits", mode="-")
    assert lines(list_states([unknown], shows_namespace=False, width=20), 40)[2] == "  cgcnn, submitted 90 min ago"


def test_a_wide_terminal_and_a_pipe_have_a_table():
    states = [state(LONG_ID, CAUSE)]
    assert isinstance(list_states(states, shows_namespace=False, width=None), Table)
    assert isinstance(list_states(states, shows_namespace=False, width=130), Table)
    assert isinstance(list_states([state("short", "waits")], shows_namespace=False, width=80), Table)


def test_control_characters_of_a_message_are_visible():
    shown = lines(list_states([state("a", "says \x1b[31mred")], shows_namespace=False, width=30), 30)
    assert "\x1b[31m" not in "".join(shown)
