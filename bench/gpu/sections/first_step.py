"""Time from the start of a process to the end of its first training step."""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.gpu.record.rows import FirstStepRow, Row
from bench.gpu.setting import Setting

TIMED = (("e3nn", "pro"), ("cgcnn", "competition"))
LIMIT = 60.0  # seconds


def first_step(setting: Setting) -> Iterator[Row]:
    """Start a process for each of two networks: it imports, reads the crystals, builds the network and takes a step."""
    from bench.gpu.networks import networks

    for algorithm, level in TIMED[-1:] if setting.quick else TIMED:
        network = next(n for n in networks() if n.algorithm == algorithm and level in n.levels)
        begun = time.time()
        words = ["--device", setting.device_name, "--data", str(setting.data), "--network", network.model_dump_json()]
        ended = subprocess.run(
            [sys.executable, "-m", "bench.gpu.sections.first_step", *words],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            timeout=LIMIT,
        )
        moments = [begun, *json.loads(ended.stdout)]
        stages = [end - start for start, end in itertools.pairwise(moments)]
        names = ("imports", "data", "model", "first_step")
        yield FirstStepRow(network=network, total=moments[-1] - begun, **dict(zip(names, stages, strict=True)))


def main() -> None:
    """Take a first step, and print when each stage ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--network", required=True)
    chosen = parser.parse_args()

    from bench.gpu.networks import PROPERTIES, build, configuration, endless, learner_of, loader_of
    from bench.gpu.record.rows import Network
    from bench.gpu.timing import synchronize

    moments = [time.time()]
    setting = Setting(chosen.device, chosen.data, quick=False)
    data = setting.store.data(PROPERTIES)
    moments.append(time.time())
    device, config = setting.device(), configuration(Network.model_validate_json(chosen.network))
    model = build(config, data, untrained=True).to(device)
    loader = loader_of(config, data, model, device)
    learner = learner_of(config, model, loader)
    synchronize(device)
    moments.append(time.time())
    learner.step(next(endless(loader)))
    synchronize(device)
    print(json.dumps([*moments, time.time()]))


if __name__ == "__main__":
    main()
