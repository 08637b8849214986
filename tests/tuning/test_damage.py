"""Objects of a study that are damaged or forged: skipped and named, or refused with exit code 4; never a traceback."""

import hashlib
import json
import os
from typing import Any

import pytest

from phase2.errors import ModelFileError
from phase2.tuning.claims import Claim, Claims
from phase2.tuning.definition import StudyDefinition
from phase2.tuning.journal.backend import StoreJournal
from phase2.tuning.journal.entry import Entry
from phase2.tuning.study import Study
from phase2.tuning.workers import Worker, WorkerRecord

JOURNAL = ".studies/size/journal"
ODD = [b"", b"\xff\xfe", b"../../../etc/passwd", b"a" * 13, b"0123456789ab\n", b"\0" * 12, b"x" * 5_000_000]


def sealed(body):
    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body + b"\n"


@pytest.mark.parametrize("content", ODD, ids=range(len(ODD)))
def test_a_damaged_claim_is_one_of_a_worker_that_ended(store, tmp_path, content, caplog):
    claims = Claims(store, "size", Worker(store, "size", locks=tmp_path))
    store.put(".studies/size/claims/000000/000001.json", content)
    store.put(".studies/size/claims/000000/notes.txt", b"")
    store.put(".studies/size/claims/000000/\u0661\u0661\u0661\u0661\u0661\u0661.json", b"")
    assert not claims.is_held(0)
    assert claims.last_beat(0) is None
    assert claims.take(0) == Claim(0, 2)
    assert "claims/000000/000001.json is damaged" in caplog.text


@pytest.mark.parametrize("path", ["/dev/zero", "\0", "x" * 5000, "/etc/passwd", "pipe", "other.lock", ""])
def test_a_forged_heartbeat_names_no_file_that_is_opened(store, tmp_path, path):
    worker = Worker(store, "size", locks=tmp_path)
    os.mkfifo(tmp_path / "0123456789ab.lock")
    lock = str(tmp_path / "0123456789ab.lock") if path == "pipe" else path
    with worker.registered():
        (mine,) = [info.key for info in store.list(".studies/size/workers/")]
        host = WorkerRecord.model_validate_json(store.read(mine)).host
    store.put(".studies/size/workers/0123456789ab.json", WorkerRecord(host=host, lock=lock).model_dump_json().encode())
    assert worker.is_alive("0123456789ab")  # by its beat


@pytest.mark.parametrize(
    "body",
    [b"[]", b"{}", b"[" * 100_000, b"1" * 10_000, b'{"writer": 1, "operations": []}', b'{"writer": "a"}',
     b'{"writer": "a", "operations": [1]}', b'{"writer": "a", "operations": {"op_code": 0}}'],
)  # fmt: skip
def test_an_entry_that_is_none_counts_as_empty(store, body, caplog):
    store.put(f"{JOURNAL}/000000000.json", sealed(body))
    assert Entry.decode(sealed(body)) is None
    assert list(StoreJournal(store, JOURNAL).read_logs(0)) == []
    assert "000000000.json of the journal is damaged" in caplog.text


@pytest.mark.parametrize("name", ["999999999.json", "000100000.json"])
def test_a_journal_with_a_forged_number_is_refused_and_not_counted_up_to(store, name):
    store.put(f"{JOURNAL}/{name}", b"")
    with pytest.raises(ModelFileError, match=name):
        StoreJournal(store, JOURNAL)


def test_names_that_are_no_numbers_are_ignored(store):
    for name in ("notes.txt", "\u0661.json", "1.json", "-00000001.json"):
        store.put(f"{JOURNAL}/{name}", b"")
    assert list(StoreJournal(store, JOURNAL).read_logs(0)) == []


def test_operations_that_cannot_be_replayed_are_skipped_by_every_worker(store, study, define, caplog):
    first = study.begin(0)
    forged: tuple[dict[str, Any], ...] = (
        {}, {"op_code": 99, "worker_id": "x"}, {"op_code": "0"}, {"op_code": 4, "worker_id": "x", "study_id": 0},
        {"op_code": 6, "worker_id": "x", "trial_id": 0, "state": "no", "values": None},
        {"op_code": 0, "worker_id": "x", "study_name": "y", "directions": [7]},
    )  # fmt: skip
    for operation in forged:
        StoreJournal(store, JOURNAL).append_logs([operation])
    study.report(0, 1, 0.5)
    again = Study(store, define())
    assert [(trial.number, trial.values, trial.epochs) for trial in again.trials()] == [(0, first.values, 1)]
    assert again.begin(1).number == 1
    assert caplog.text.count("of the journal is damaged") >= len(forged)


@pytest.mark.parametrize(
    "change",
    [{"name": "other"}, {"name": "../x"}, {"command": ["phase2", "train", "--algorithm", "x"]}, {"space": ["x=1,2"]},
     {"space": ["training.lr="]}, {"minimise": "nothing"}, {"schema_version": 2}, {"trials": "many"}],
    ids=str,
)  # fmt: skip
def test_a_forged_definition_is_refused_with_exit_code_4(store, define, change):
    define().save(store)
    key = ".studies/size/study.json"
    store.put(key, json.dumps(json.loads(store.read(key)) | change).encode())
    with pytest.raises(ModelFileError, match=r"study\.json") as caught:
        StudyDefinition.load(store, "size")
    assert caught.value.exit_code == 4
