"""The overhead of checkpoints: the same epochs without checkpoints, with them, and with them in a bucket, in turn.

The cost of a save is the time that the training waits for the copy of its state, and the processor time of the threads
that write, sync, read back and upload, which on a busy machine the training loses. Both are measured where they arise,
and their sum is compared with the time of the training: an upper bound of the overhead. Wall times of whole
trainings are printed too; they differ by several percent from one run to the next on a shared machine. The bucket is a
real server on this machine.
"""

import argparse
import itertools
import math
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.config.schema import RunConfig
from phase2.data.dataset import CrystalPropertyDataset
from phase2.runs.remote.checkpoints import RemoteCheckpoints
from phase2.storage.urls import open_store
from phase2.testing.stores import s3_servers
from phase2.training.checkpoints.uploader import CheckpointUploader
from phase2.training.checkpoints.writer import CheckpointSchedule, CheckpointWriter, SavedCheckpoint
from phase2.training.result import TrainingFiles
from phase2.training.trainer import Trainer

NEVER = CheckpointSchedule(minutes=math.inf, share=0)
PRICE = {"waited": 0.0, "processor": 0.0}
BASELINE, SAVED, PUSHED = "no checkpoints", "checkpoints", "checkpoints, also in a bucket"


def priced(owner: type, name: str, kind: str, clock: Callable[[], float]) -> None:
    """Add the time of each call of a method, by a given clock, to the cost."""
    method = getattr(owner, name)

    def timed(*words: Any, **options: Any) -> Any:
        begun = clock()
        try:
            return method(*words, **options)
        finally:
            PRICE[kind] += clock() - begun

    setattr(owner, name, timed)


def main() -> None:
    """Print seconds and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--data", default="sample", help="data set or path")
    parser.add_argument("--crystals", type=int, default=3000)
    parser.add_argument("--preset", default="medium", choices=("small", "medium", "large"))
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    request = RunRequest(
        algorithm="cgcnn", level="std", preset=chosen.preset, epochs=chosen.epochs, max_samples=chosen.crystals,
        data=chosen.data,
    )  # fmt: skip
    config = resolve(request).config
    data = CrystalPropertyDataset.load(config.data, config.properties)
    priced(Trainer, "_checkpoint", "waited", time.perf_counter)
    priced(CheckpointWriter, "_write", "processor", time.thread_time)
    priced(CheckpointUploader, "_push", "processor", time.thread_time)
    prices: dict[str, list[float]] = {BASELINE: [], SAVED: [], PUSHED: []}
    times: dict[str, list[float]] = {BASELINE: [], SAVED: [], PUSHED: []}
    saves: dict[str, int] = dict.fromkeys(times, 0)
    with tempfile.TemporaryDirectory() as name, s3_servers.seaweedfs(Path(name) / "server") as server:
        os.environ.update(server.environment)
        boto3.client("s3").create_bucket(Bucket="bench")
        for k, who in itertools.product(range(chosen.rounds + 1), times):
            PRICE.update(waited=0.0, processor=0.0)
            seconds, saves[who], size = _train(config, data, Path(name) / f"{who}{k}", who)
            if k:
                times[who].append(seconds)
                prices[who].append(sum(PRICE.values()) / seconds)
    print(
        f"{chosen.epochs} epochs of {chosen.crystals} crystals, cgcnn {chosen.preset}, checkpoint {size / 1e6:.1f} MB"
    )
    for who, measured in times.items():
        price = 100 * statistics.median(prices[who])
        print(f"{who:<30} {statistics.median(measured):>7.2f} s  {saves[who]:>3} saves, which cost {price:.2f} % of it")


def _train(config: RunConfig, data: CrystalPropertyDataset, folder: Path, who: str) -> tuple[float, int, int]:
    files = TrainingFiles(folder / "best.pt", folder / "checkpoint.pt", folder / "previous.pt", folder / "history.json")
    saved: list[int] = []
    with _pusher(folder, who) as pusher:

        def note(checkpoint: SavedCheckpoint) -> None:
            saved.append(len(checkpoint.content))
            if pusher is not None:
                pusher.offer(checkpoint)

        plan = NEVER if who == BASELINE else CheckpointSchedule()
        trainer = Trainer(config, data, files, run_id="bench", schedule=plan, on_saved=note)
        start = time.perf_counter()
        trainer.fit()
        return time.perf_counter() - start, len(saved), saved[-1]


@contextmanager
def _pusher(folder: Path, who: str) -> Iterator[CheckpointUploader | None]:
    if who != PUSHED:
        yield None
        return
    store = open_store("s3://bench")
    store.head("warm")  # the client is made by the first request, which a run makes before it trains
    checkpoints = RemoteCheckpoints(store, f"bench/{folder.name}")
    with CheckpointUploader(checkpoints, host="bench", schedule=CheckpointSchedule(), notify=print) as pusher:
        yield pusher


if __name__ == "__main__":
    main()
