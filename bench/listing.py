"""Listing many runs: cold (no index, every manifest is read) and warm (by the index), against reading every manifest.

The runs are copies of one manifest with names and scores of their own, each with as many other files as asked. Without
``--store`` they lie in a temporary folder; a bucket is filled below the address given and left as it is.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from phase2.config.request import RunRequest
from phase2.config.resolve import resolve
from phase2.runs.artifacts import Artifact
from phase2.runs.attempts import begin_attempt, end_attempt
from phase2.runs.environment import code, hardware, place
from phase2.runs.index import INDEX, list_runs, run_records
from phase2.runs.layout import RunDirectory
from phase2.runs.manifest import RunManifest
from phase2.runs.recorded_config import RecordedConfig
from phase2.runs.results import PropertyResult, Results
from phase2.storage.base import Store
from phase2.storage.urls import open_store


def main() -> None:
    """Print seconds and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--files", type=int, default=14, help="files of a run beside its manifest")
    parser.add_argument("--store", help="address of an empty store (default: a temporary folder)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(chosen.store or folder)
        fill(store, manifest(Path(folder) / "template"), runs=chosen.runs, files=chosen.files)
        store.delete(INDEX)
        baseline = _seconds(lambda: [json.loads(store.read(info.key)) for info in run_records(store.list())])
        keys = _seconds(lambda: sum(1 for _ in store.list()))
        cold = _seconds(lambda: list_runs(store))
        warm = min(_seconds(lambda: list_runs(store)) for _ in range(3))
        assert len(list_runs(store)) == chosen.runs
    print(f"{chosen.runs} runs with {chosen.files} files each")
    rows = {"every manifest, one after the other": baseline, "keys alone": keys, "cold list": cold, "warm list": warm}
    for name, seconds in rows.items():
        print(f"{name:<40} {seconds:>8.2f} s   {baseline / seconds:>6.2f} x")


def manifest(folder: Path) -> RunManifest:
    resolved = resolve(RunRequest(algorithm="cgcnn", level="smoke"))
    run = RunDirectory.create(folder, resolved.config.family, run_id="template")
    recorded = RecordedConfig.record(run, resolved)
    begin_attempt(run, host="bench")
    keys = resolved.config.properties
    part = tuple(
        PropertyResult(key=key, unit="", count=80, mae=0.1, rmse=0.2, r2=0.9, baseline_mae=0.5, ratio=0.2)
        for key in keys
    )
    results = Results(
        run_id="template", algorithm="cgcnn", mode="smoke", properties=keys, best_epoch=1, epochs=5, score=0.2,
        train_labels=dict.fromkeys(keys, 640), mean_epoch_seconds=1.0, val=part, test=part,
    )  # fmt: skip
    return RunManifest.draft(
        recorded,
        status="finished",
        attempts=end_attempt(run, "finished"),
        code=code(),
        hardware=hardware(),
        place=place(),
        results=results,
    )


def fill(store: Store, template: RunManifest, *, runs: int, files: int) -> None:
    listed = [Artifact(path=f"file_{i:02d}", bytes=0, sha256="0" * 64) for i in range(files)]
    content = template.model_copy(update={"run_id": "RUN_ID", "artifacts": tuple(listed)}).model_dump_json(indent=2)
    family = template.family

    def write(i: int) -> None:
        prefix = f"{family}/run_20261124T{i // 3600:02d}{i // 60 % 60:02d}{i % 60:02d}Z_{i:08x}"
        objects = {file.path: b"" for file in listed}
        objects["run_manifest.json"] = content.replace("RUN_ID", f"{i:08x}").encode()
        folder = store.url.removeprefix("file://") if store.url.startswith("file://") else None
        for name, data in objects.items():
            if folder is None:
                store.put(f"{prefix}/{name}", data)
            else:  # without a sync to the disk for every one of them
                path = Path(folder) / prefix / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(write, range(runs)))


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
