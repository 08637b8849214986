"""Whether there is memory enough for a run, once its crystals are known."""

from __future__ import annotations

from collections.abc import Callable

from phase2.config.schema import RunConfig
from phase2.data.graphs.packed import PackedGraphs
from phase2.machine.memory import refuse_small_memory

# Bonds and links of a crystal of the embedded sample, on average: what the need was measured with.
_SAMPLE_BONDS, _SAMPLE_LINKS = 105.2, 27.1


def refuse_large_crystals(config: RunConfig, graphs: PackedGraphs, notify: Callable[[str], None]) -> None:
    """Say that the memory limit is too low for batches of these crystals, or refuse what cannot end well.

    Raises:
        RequestError: The run would be killed.
    """
    level, usual = ("link", _SAMPLE_LINKS) if config.algorithm == "cgcnn" else ("bond", _SAMPLE_BONDS)
    size = float(graphs.offset(level)[-1]) / len(graphs) / usual
    if size > 1:  # those that are smaller were asked about before
        refuse_small_memory(config, 0, notify, crystal_size=size)
