"""What saving costs a training: the same epochs without checkpoints, with them, and with them in a bucket, in turn.

The baseline saves at its end alone. A save is written, synced, read back and copied beside the training: its price is
the time that the training waits for the copy of its state, and the processor time that the writing takes from it. Wall
time of whole trainings holds both. The bucket is a real server on this machine, which takes its share of the cores.
"""

import argparse
import itertools
import math
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3

from phase2.config.request import RunRequest
from phase2.config.resolve import resolve
from phase2.config.schema import RunConfig
from phase2.data.dataset import CrystalPropertyDataset
from phase2.runs.stored_checkpoints import StoredCheckpoints
from phase2.storage.urls import open_store
from phase2.testing import s3_servers
from phase2.training.loop import Trainer
from phase2.training.pushing import CheckpointPusher
from phase2.training.result import TrainingFiles
from phase2.training.saving import SavedCheckpoint, SavingPlan

NEVER = SavingPlan(minutes=math.inf, share=0)
BASELINE, SAVED, PUSHED = "no checkpoints", "checkpoints", "checkpoints, also in a bucket"


def main() -> None:
    """Print seconds and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--data", default="sample", help="data set or path")
    parser.add_argument("--crystals", type=int, default=3000)
    parser.add_argument("--preset", default="medium", choices=("small", "medium", "large"))
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    request = RunRequest(
        algorithm="cgcnn", level="std", preset=chosen.preset, epochs=chosen.epochs, max_samples=chosen.crystals,
        data=chosen.data,
    )  # fmt: skip
    config = resolve(request).config
    data = CrystalPropertyDataset.load(config.data, config.properties)
    times: dict[str, list[float]] = {BASELINE: [], SAVED: [], PUSHED: []}
    saves: dict[str, int] = dict.fromkeys(times, 0)
    with tempfile.TemporaryDirectory() as name, s3_servers.seaweedfs(Path(name) / "server") as server:
        os.environ.update(server.environment)
        boto3.client("s3").create_bucket(Bucket="bench")
        for k, who in itertools.product(range(chosen.rounds + 1), times):
            seconds, saves[who], size = _train(config, data, Path(name) / f"{who}{k}", who)
            if k:
                times[who].append(seconds)
    print(
        f"{chosen.epochs} epochs of {chosen.crystals} crystals, cgcnn {chosen.preset}, checkpoint {size / 1e6:.1f} MB"
    )
    for who, seconds in times.items():
        ratios = [mine / theirs for mine, theirs in zip(seconds, times[BASELINE], strict=True)]
        share = 100 * (statistics.median(ratios) - 1)
        print(f"{who:<34} {statistics.median(seconds):>7.2f} s  {saves[who]:>3} saves  {share:>+6.2f} %")


def _train(config: RunConfig, data: CrystalPropertyDataset, folder: Path, who: str) -> tuple[float, int, int]:
    files = TrainingFiles(folder / "best.pt", folder / "checkpoint.pt", folder / "previous.pt", folder / "history.json")
    saved: list[int] = []
    with _pusher(folder, who) as pusher:

        def note(checkpoint: SavedCheckpoint) -> None:
            saved.append(len(checkpoint.content))
            if pusher is not None:
                pusher.offer(checkpoint)

        plan = NEVER if who == BASELINE else SavingPlan()
        trainer = Trainer(config, data, files, run_id="bench", plan=plan, on_saved=note)
        start = time.perf_counter()
        trainer.fit()
        return time.perf_counter() - start, len(saved), saved[-1]


@contextmanager
def _pusher(folder: Path, who: str) -> Iterator[CheckpointPusher | None]:
    if who != PUSHED:
        yield None
        return
    checkpoints = StoredCheckpoints(open_store("s3://bench"), f"bench/{folder.name}")
    with CheckpointPusher(checkpoints, host="bench", plan=SavingPlan(), notify=print) as pusher:
        yield pusher


if __name__ == "__main__":
    main()
