"""Events and metrics of the observer: pure parts, and the loop against an API server without controllers."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from tests.cluster.support.stored_api import EVENTS, JOBS, kubeconfig, storing

from phase2.cluster.api.connection import Connection
from phase2.cluster.namespace import Cluster
from phase2.cluster.observer.events import REASONS, event_of
from phase2.cluster.observer.loop import Observer
from phase2.cluster.observer.metrics import RunMetrics
from phase2.cluster.observer.observation import Changes, Observation
from phase2.cluster.observer.store import StoreProbe
from phase2.cluster.run_state import RunState, State
from phase2.errors import TransientError

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def observation(state="running", message="runs on n1", *, uid="u1", attempt=1, age=timedelta(), **fields):
    ended = NOW - age if state in {"succeeded", "failed", "cancelled"} else None
    given = {
        "run_id": "fine", "kind": "Job", "name": "phase2-fine", "namespace": "phase2", "algorithm": "e3nn",
        "mode": "lite", "pod": None, "node": None, "exit_code": None, "created": NOW - age, "ended": ended,
        "command": "",
    }  # fmt: skip
    return Observation(uid, "batch/v1", RunState(state=state, message=message, attempt=attempt, **(given | fields)))


def test_every_state_has_a_reason():
    assert set(REASONS) == set(get_args(State))
    warnings = {state for state, (_, kind) in REASONS.items() if kind == "Warning"}
    assert warnings == {"blocked", "retrying", "failed"}


def test_an_event_names_its_object_and_has_the_sentence_of_status():
    event = event_of(observation("failed", "failed with exit code 2: no"), namespace="phase2", now=NOW)
    assert event["involvedObject"] == {
        "apiVersion": "batch/v1", "kind": "Job", "namespace": "phase2", "name": "phase2-fine", "uid": "u1",
    }  # fmt: skip
    assert (event["reason"], event["type"]) == ("RunFailed", "Warning")
    assert event["message"] == "The run fine failed with exit code 2: no"


def test_the_name_of_an_event_follows_from_what_happened():
    def name(*words, **fields):
        return event_of(observation(*words, **fields), namespace="phase2", now=NOW)["metadata"]["name"]

    assert name() == name("running", "runs on n1, attempt 1, for 5 minutes")
    assert len({name(), name(uid="u2"), name(attempt=2), name("retrying"), name("failed")}) == 5
    assert name("blocked", "waits for its image: not found") == name("blocked", "waits for its image: timeout")
    assert name("blocked", "waits for its image: not found") != name("blocked", "gets no pod: the quota is exceeded")
    assert len(name("running", name="a" * 250)) <= 253


def test_an_attempt_that_stalled_has_a_reason_of_its_own():
    why = "No training step after step 7 of 90 for 31 minutes. The slowest took 2 s, and --stall-minutes is 30."
    stalled = observation("retrying", f"waits to start attempt 2; the previous attempt failed: {why}")
    assert event_of(stalled, namespace="phase2", now=NOW)["reason"] == "RunStalled"


def test_a_state_is_news_once():
    changes = Changes()
    assert len(changes.update([observation()], NOW).changed) == 1
    assert changes.update([observation(message="runs on n1, attempt 1, for 2 minutes")], NOW).changed == ()
    ended = observation("succeeded", "succeeded")
    news = changes.update([ended], NOW)
    assert (news.changed, news.ended) == ((ended,), (ended,))
    assert changes.update([ended], NOW).changed == ()
    assert changes.update([], NOW).changed == ()


def test_after_a_restart_old_states_are_no_news():
    """The API server has forgotten their events, so that their names are free again."""
    old = [
        observation("succeeded", uid="1", age=2 * HOUR),
        observation("running", uid="2", age=2 * HOUR),
        observation("blocked", uid="3", age=2 * HOUR),
        observation("failed", uid="4", age=HOUR / 4),
    ]
    news = Changes().update(old, NOW)
    assert [one.uid for one in news.changed] == ["3", "4"]
    assert news.ended == ()


def exposed(metrics):
    registry = CollectorRegistry()
    registry.register(metrics)
    lines = generate_latest(registry).decode().splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


def test_metrics_have_the_states_and_count_the_ends():
    metrics = RunMetrics("phase2")
    assert exposed(metrics)['phase2_observer_up{namespace="phase2"}'] == "0.0"
    running, failed = observation(), observation("failed", uid="2", run_id="poor", mode="std")
    metrics.update([running, failed], [failed], nightly=NOW, store=True)
    found = exposed(metrics)
    run = 'algorithm="e3nn",mode="lite",namespace="phase2",run="fine"'
    assert found[f'phase2_run_state{{{run},state="running"}}'] == "1.0"
    info = 'phase2_run_info{algorithm="e3nn",kind="Job",mode="lite",name="phase2-fine",namespace="phase2",run="fine"}'
    assert found[info] == "1.0"
    ends = 'phase2_run_ended_total{algorithm="e3nn",mode="%s",namespace="phase2",outcome="%s"}'
    assert found[ends % ("std", "failed")] == "1.0"
    assert found[ends % ("lite", "failed")] == "0.0"
    assert float(found['phase2_nightly_last_success_timestamp_seconds{namespace="phase2"}']) == NOW.timestamp()
    assert found['phase2_store_reachable{namespace="phase2"}'] == "1.0"
    metrics.down()
    assert exposed(metrics)['phase2_observer_up{namespace="phase2"}'] == "0.0"


def test_two_objects_of_one_run_are_one_series():
    metrics = RunMetrics("phase2")
    older = observation("failed", uid="1", age=HOUR)
    metrics.update([older, observation(uid="2")], [], nightly=None, store=None)
    found = [name for name in exposed(metrics) if name.startswith("phase2_run_state")]
    assert len(found) == 1
    assert 'state="running"' in found[0]


def test_a_store_that_does_not_answer_is_said(tmp_path, monkeypatch):
    assert StoreProbe(str(tmp_path)).answers()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "a-key")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    probe = StoreProbe("s3://bucket")
    assert not probe.answers()
    assert "cannot be reached" in probe.error.what


@pytest.fixture
def lines():
    return []


@pytest.fixture
def observer(api, lines):
    made = RunMetrics("materials")
    return Observer(Cluster(Connection.open(), "materials"), made, lines.append), made


def submit(cli, run_id="watched"):
    words = ["--algorithm", "cgcnn", "--level", "smoke", "--run-id", run_id, "--image", "phase2:1"]
    code, _, err = cli("submit", *words, "--namespace", "materials", "--backend", "job")
    assert code == 0, err


def reasons(api):
    return [event["reason"] for event in api.all(EVENTS)]


def test_each_state_is_recorded_once_also_by_another_process(cli, api, observer, lines):
    submit(cli)
    (job,) = api.all(JOBS)
    looks, metrics = observer
    looks.look()
    looks.look()
    assert reasons(api) == ["RunWaiting"]
    failed = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded",
              "lastTransitionTime": datetime.now(UTC).isoformat()}  # fmt: skip
    api.patch(JOBS, job["metadata"]["name"], {"status": {"conditions": [failed]}})
    looks.look()
    assert reasons(api) == ["RunWaiting", "RunFailed"]
    again = Observer(Cluster(Connection.open(), "materials"), RunMetrics("materials"), lines.append)
    again.look()
    assert reasons(api) == ["RunWaiting", "RunFailed"]
    assert [line.partition(":")[0] for line in lines if line.startswith("Run")] == ["RunWaiting", "RunFailed"]
    found = exposed(metrics)
    assert [name for name in found if "run_state" in name and 'state="failed"' in name]
    assert [value for name, value in found.items() if "ended_total" in name and 'outcome="failed"' in name] == ["1.0"]


def test_a_server_that_never_answers_ends_it_with_75(monkeypatch, tmp_path, lines):
    with storing() as gone:
        monkeypatch.setenv("KUBECONFIG", kubeconfig(gone, tmp_path))
        connection = Connection.open()
    monkeypatch.setattr("phase2.cluster.observer.loop._PATIENCE_SECONDS", 0.2)
    looks = Observer(Cluster(connection, "materials"), RunMetrics("materials"), lines.append, period=0.05)
    with pytest.raises(TransientError) as error:
        looks.run()
    assert error.value.exit_code == 75
    assert len(lines) >= 2
