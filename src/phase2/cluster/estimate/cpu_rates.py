"""Measured rates of training on a CPU, part of the package as ``cpu_rates.json``; ``bench/cpu_rates.py`` writes it."""

from __future__ import annotations

import math
from functools import cache
from importlib.resources import files

from phase2.config.levels import Algorithm, Preset
from phase2.config.schema import CGCNN_PRESETS, EQUIVARIANT_SIZES, TRAINING_DEFAULTS, GraphSpec, RunConfig
from phase2.storage.records import Record, parse_record

RATES_FILE = "cpu_rates.json"


class Spread(Record):
    """Repeated measurements of one number.

    Attributes:
        median: The median.
        lowest: The lowest.
        highest: The highest.
    """

    median: float
    lowest: float
    highest: float


class NetworkRate(Record):
    """Rates of one network at one batch size.

    Attributes:
        algorithm: ``e3nn`` or ``cgcnn``.
        size: Preset (cgcnn) or size (e3nn) of the network.
        batch_size: Crystals per step.
        crystals: Training crystals that it was measured with.
        train: CPU time of one epoch with one thread per training crystal, seconds.
        validation: CPU time of the end of the epoch (validation, checkpoint) per validation crystal, seconds.
        speedup: Time of an epoch on one core, divided by that on two.
    """

    algorithm: Algorithm
    size: Preset
    batch_size: int
    crystals: int
    train: Spread
    validation: Spread
    speedup: Spread

    @property
    def parallel(self) -> float:
        """Fraction of the work that more cores share, 0 to 1, by Amdahl's law from one and two cores.

        A speedup S on two cores means the fraction 2 (1 - 1 / S).
        """
        return min(1.0, max(0.0, 2 * (1 - 1 / self.speedup.median)))

    def relative_time(self, cores: float) -> float:
        """Return the time on a number of cores, relative to that on one (Amdahl's law; extrapolated above two).

        Part of a core is a share of its time.
        """
        if cores < 1:
            return 1 / cores
        return 1 - self.parallel + self.parallel / cores


class CpuRates(Record):
    """Measured rates of every network of the levels table on the embedded sample.

    Attributes:
        phase2: Version of phase2.
        torch: Version of torch.
        cpu: Model of the processor.
        atoms: Mean number of atoms of a crystal.
        edges: Mean number of edges of a crystal's graph.
        start: CPU time of a run apart from graphs and epochs (imports, first and last steps, report), seconds.
        graphs: CPU time of reading a crystal and making its graph, seconds.
        networks: Rates by network.
    """

    phase2: str
    torch: str
    cpu: str
    atoms: float
    edges: float
    start: float
    graphs: float
    networks: tuple[NetworkRate, ...]

    def of(self, config: RunConfig) -> NetworkRate | None:
        """Return the rate of a run's network, at the measured batch size nearest to its own.

        None for a network, graphs or optimiser that were not measured, or with a balancing that costs another forward
        pass.
        """
        training = config.training
        usual = CGCNN_PRESETS if config.model.kind == "cgcnn" else EQUIVARIANT_SIZES
        size = config.model.preset if config.model.kind == "cgcnn" else config.model.size
        is_usual = config.model == usual[size] and config.data.graph == GraphSpec()
        optimizer = TRAINING_DEFAULTS[config.algorithm].get("optimizer", "adamw")
        if not is_usual or training.balance == "famo" or training.optimizer != optimizer:
            return None
        same = [rate for rate in self.networks if (rate.algorithm, rate.size) == (config.algorithm, size)]
        return min(same, key=lambda rate: abs(math.log(rate.batch_size / training.batch_size)), default=None)


@cache
def shipped_rates() -> CpuRates:
    """Return the rates that are part of this package."""
    content = files(__package__).joinpath(RATES_FILE).read_bytes()
    return parse_record(content, CpuRates, where=RATES_FILE)
