"""Whatever is read back of a run, damaged in hundreds of ways: refused with exit code 4, or read as it was."""

import contextlib
import io
import random
import resource
import signal
import traceback
from collections import Counter
from dataclasses import dataclass

import pytest
import torch

from phase2.api.results.run_tables import History, Metrics, PartTable
from phase2.cli.app import app
from phase2.cli.process.boundary import run
from phase2.cli.process.explanation import explain
from phase2.cli.runs.details import print_details
from phase2.config.schema import GraphSpec
from phase2.data.graphs.packing import pack
from phase2.errors import PreemptedError
from phase2.prediction.predictor import Predictor
from phase2.runs.ancestry.model_header import read_model_header
from phase2.runs.layout import RunDirectory
from phase2.runs.records.attempts import begin_attempt
from phase2.runs.records.history import read_epochs_done
from phase2.runs.records.manifest import read_manifest
from phase2.runs.records.predictions import PartPredictions, write_predictions
from phase2.runs.records.results import Results
from phase2.runs.records.run_config import RecordedConfig
from phase2.storage.records import read_record, write_record
from phase2.testing.crystals import rock_salt, triclinic
from phase2.testing.finished_run import finished_run
from phase2.testing.mutations import mutate_bytes, mutate_json, mutate_members, mutate_values, nest_json
from phase2.testing.tiny_training import PROPERTIES, TinyData, tiny_config, tiny_data
from phase2.training.callbacks.base import Callback
from phase2.training.checkpoints.checkpoint import dump_checkpoint
from phase2.training.checkpoints.writer import CheckpointSchedule
from phase2.training.interruption import StopRequest
from phase2.training.result import TrainingFiles
from phase2.training.trainer import Trainer

from .conftest import ROUNDS

pytestmark = pytest.mark.filterwarnings("ignore:Duplicate name")

SECONDS = 20
BYTES = 2 * 1024**3
CHECKPOINT_EVERY_STEP = CheckpointSchedule(share=float("inf"))


class StopAt(Callback):
    """Stops a training after a step."""

    def __init__(self, step, stop):
        self.step, self.stop = step, stop

    def on_step_end(self, event):
        if event.step >= self.step:
            self.stop.request("the test")


@dataclass
class Files:
    """A run that ended and one that was stopped, and how each of their files is read."""

    stopped: TrainingFiles
    ended: RunDirectory
    data: TinyData
    reads: int = 0

    def trainer(self, files, **how):
        return Trainer(tiny_config(), self.data, files, run_id="run_1", schedule=CHECKPOINT_EVERY_STEP, **how)

    def predict(self):
        header = read_model_header(self.ended.best)
        predictor = Predictor.load(self.ended.best)
        found = predictor.assess_graphs(pack([rock_salt(), triclinic()], GraphSpec()))
        sure = [a.tobytes() for a in (found.values, found.difficulty, found.novelty) if a is not None]
        return sure, header.run_id, header.epoch, header.species, header.config, header.lineage

    def resume(self):
        stop = StopRequest()
        trainer = self.trainer(self.stopped, callback=StopAt(0, stop))
        trainer.resume()
        found = dump_checkpoint(trainer._state.checkpoint())
        # One more step on copies of the files shows that the restored state can be continued.
        with pytest.raises(PreemptedError), _kept(self.stopped):
            trainer.fit(stop)
        return found

    def history(self):
        read_epochs_done(self.ended.history)
        table = History.read(self.ended.history)
        return table.columns(), table.records()

    def results(self):
        return read_record(self.ended.results, Results)

    def manifest(self):
        output, self.reads = self.ended.path.parent.parent, self.reads + 1
        if self.reads % 25 == 0:  # a command takes longer
            for words in (["show", self.ended.run_id], ["list"], ["verify", self.ended.run_id]):
                code, said = _command("runs", *words, "--store", str(output))
                assert code in {0, 2, 3, 4}, f"exit code {code}: {said}"
        found = read_manifest(self.ended.manifest)
        Metrics(found).records()
        with contextlib.redirect_stdout(io.StringIO()):
            print_details("prefix", found)
        return found

    def attempts(self):
        before = self.ended.attempts.read_bytes()
        begin_attempt(self.ended, host="test")
        return before

    def config(self):
        return RecordedConfig.read(self.ended)

    def predictions(self):
        return PartTable(self.ended.predictions_test, [p.key for p in PROPERTIES]).records()


def _command(*words):
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = run(app, list(words))
    return code, said.getvalue()[-500:]


@contextlib.contextmanager
def _kept(files):
    paths = (files.best, files.checkpoint, files.previous, files.history)
    before = {path: path.read_bytes() for path in paths if path.exists()}
    try:
        yield
    finally:
        for path in paths:
            path.unlink(missing_ok=True)
        for path, content in before.items():
            path.write_bytes(content)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The files of two small trainings, on one thread."""
    folder, data, threads = tmp_path_factory.mktemp("damaged"), tiny_data(), torch.get_num_threads()
    torch.set_num_threads(1)
    ended = finished_run(folder / "output", {})
    written = Files(_files(folder / "stopped"), ended, data)
    stop = StopRequest()
    with pytest.raises(PreemptedError):
        written.trainer(written.stopped, callback=StopAt(8, stop)).fit(stop)
    result = written.trainer(_files(ended.path)).fit()
    labels = data.targets[data.split.test]
    names = [f"salt-{k}" for k in range(len(labels))]
    write_predictions(ended.predictions_test, PartPredictions(PROPERTIES, names, names, labels, result.test))
    manifest = read_manifest(ended.manifest)
    shared = {
        name: getattr(manifest, name) for name in Results.model_fields.keys() & type(manifest).model_fields.keys()
    }
    write_record(ended.results, Results(train_labels={"band_gap": 3}, **shared))
    manifest.seal(ended)
    yield written
    torch.set_num_threads(threads)


def _files(folder):
    folder.mkdir(exist_ok=True)
    return TrainingFiles(
        folder / "best.pt", folder / "checkpoint.pt", folder / ".checkpoint.previous.pt", folder / "history.json"
    )


def _archive(content, draw):
    return draw.choice((mutate_bytes, mutate_members, mutate_values, mutate_values))(content, draw)


def _json(content, draw):
    return draw.choice((mutate_bytes, mutate_json, mutate_json, mutate_json, nest_json))(content, draw)


KINDS = {
    "best.pt": (lambda f: f.ended.best, Files.predict, _archive),
    "checkpoint.pt": (lambda f: f.stopped.checkpoint, Files.resume, _archive),
    "history.json": (lambda f: f.ended.history, Files.history, _json),
    "results.json": (lambda f: f.ended.results, Files.results, _json),
    "run_manifest.json": (lambda f: f.ended.manifest, Files.manifest, _json),
    "attempts.json": (lambda f: f.ended.attempts, Files.attempts, _json),
    "run_config.json": (lambda f: f.ended.run_config, Files.config, _json),
    "predictions_test.csv": (lambda f: f.ended.predictions_test, Files.predictions, mutate_bytes),
}
"""File, how it is read, and how it is damaged."""


@contextlib.contextmanager
def _in_time():
    def late(*_):
        raise TimeoutError(f"more than {SECONDS} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def outcome(read, expected, before):
    """Read a damaged file, and say what came of it; an empty text where it is none of what may come."""
    try:
        with _in_time():
            found = read()
    except Exception as error:  # noqa: BLE001
        code = explain(error).exit_code
        return f"refused with exit code {code}" if code == 4 else f"wrong: {traceback.format_exc()[-1500:]}"
    if found == expected:
        return "read as before"
    return "the checkpoint before it" if before is not None and found == before else "read, with another value"


def damage(files, kind, count, done=None):
    """Damage a file in seeded ways, one after another; return what came of each."""
    path_of, read, mutate = KINDS[kind]
    path = path_of(files)
    whole, before = path.read_bytes(), None
    outcomes: Counter[str] = Counter()
    expected = read(files)
    if kind == "checkpoint.pt":
        path.unlink()
        before = read(files)
    try:
        for seed in range(count):
            draw = random.Random(f"{kind} {seed}")
            path.write_bytes(mutate(whole, draw))
            what = outcome(lambda: read(files), expected, before)
            assert not what.startswith("wrong"), f"mutation {seed} of {kind}: {what}"
            outcomes[what] += 1
    finally:
        path.write_bytes(whole)
    if done is not None:
        done.update({f"damaged {kind}: {what}": n for what, n in outcomes.items()})
    return outcomes


def _check(outcomes, kind):
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    assert peak < BYTES, f"reading took {peak:,} bytes"
    refused = outcomes["the checkpoint before it"] + outcomes["refused with exit code 4"]
    assert refused > outcomes.total() // 3
    if kind in SEALED:
        # What is read is what was written: every value has the digest of the whole beside it.
        assert outcomes["read, with another value"] <= outcomes.total() // 4


SEALED = ("best.pt", "checkpoint.pt")


@pytest.mark.parametrize("kind", KINDS)
def test_some_damages_of_every_kind_of_file(files, kind):
    _check(damage(files, kind, 50), kind)


@pytest.mark.faults
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", KINDS)
def test_hundreds_of_damages_of_every_kind_of_file(files, kind, done):
    _check(damage(files, kind, round(500 * ROUNDS), done), kind)
