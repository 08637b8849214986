"""Contract of the backends: tests that a Job, a Workflow and a local process inherit, each with a harness."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable

import pytest

REQUEST = ("--algorithm", "cgcnn", "--level", "smoke", "--max-samples", "60", "--epochs", "60")
Cli = Callable[..., tuple[int, str, str]]
ENDED = {"succeeded", "failed", "cancelled"}


class BackendHarness(ABC):
    """Harness of one backend: brings runs into a state, and reads their states through the command line.

    Args:
        cli: Runs a command; returns exit code, standard output and standard error.

    Attributes:
        backend: Options that select the backend, and those that it requires.
    """

    backend: tuple[str, ...]

    def __init__(self, cli: Cli) -> None:
        self.cli = cli

    def submit(self, run_id: str, *options: str) -> tuple[int, str, str]:
        return self.cli("submit", *REQUEST, *self.backend, "--run-id", run_id, *options)

    @abstractmethod
    def begin(self, run_id: str) -> None:
        """Submit a run and leave it running."""

    @abstractmethod
    def finish(self, run_id: str) -> None:
        """Let a running run complete."""

    @abstractmethod
    def fail(self, run_id: str) -> None:
        """Let a running run fail in a way that another attempt may not."""

    @abstractmethod
    def cancel(self, run_id: str) -> None:
        """Cancel a running run, and wait until it has stopped."""

    @abstractmethod
    def state(self, run_id: str) -> str:
        """Return the state of a run."""

    @abstractmethod
    def count(self, run_id: str) -> int:
        """Return the number of objects that execute a run."""


class BackendContract:
    """Tests that take a fixture ``harness``."""

    def test_a_succeeded_run_is_not_started_again(self, harness):
        harness.begin("once")
        assert harness.state("once") not in ENDED
        harness.finish("once")
        assert harness.state("once") == "succeeded"
        code, out, err = harness.submit("once")
        assert (code, "already succeeded" in out) == (0, True), err
        assert harness.count("once") == 1

    def test_another_request_with_the_same_id_is_refused(self, harness):
        harness.begin("taken")
        code, _, err = harness.submit("taken", "--seed", "7")
        assert (code, "belongs to another request" in err) == (2, True), err
        assert harness.count("taken") == 1
        harness.finish("taken")

    def test_a_dry_run_changes_nothing(self, harness):
        code, out, err = harness.submit("dry", "--dry-run")
        assert (code, "dry" in out) == (0, True), err
        code, out, err = harness.submit("dry", "--dry-run", "--json")
        assert (code, json.loads(out)["run"]) == (0, "dry"), err
        assert harness.count("dry") == 0

    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            (["--level", "smok"], "Did you mean 'smoke'?"),
            (["--algorithm", "cgcn"], "Did you mean 'cgcnn'?"),
            (["--properties", "band-gap"], "Did you mean 'band_gap'?"),
            (["--backend", "agro"], "Did you mean 'argo'?"),
            (["--accept-change", "kode"], "Did you mean 'code'?"),
            (["--competition"], "exclude each other"),
            (["--preset", "small", "--algorithm", "e3nn"], "does not go with"),
        ],
    )
    def test_an_invalid_value_is_refused_with_the_nearest_valid_one(self, harness, options, expected):
        code, _, err = harness.submit("bad", *options)
        assert code == 2
        assert expected in err
        assert harness.count("bad") == 0

    def test_a_failed_run_is_started_again_and_resumes(self, harness):
        harness.begin("again")
        harness.fail("again")
        assert harness.state("again") != "succeeded"
        harness.begin("again")
        harness.finish("again")
        assert harness.state("again") == "succeeded"
        assert harness.count("again") == 1

    def test_a_cancelled_run_resumes_with_its_own_options(self, harness):
        harness.begin("stopped")
        harness.cancel("stopped")
        assert harness.state("stopped") in {"cancelled", "unfinished"}
        code, _, err = harness.cli("submit", "--resume", "stopped", *harness.backend, "--seed", "7")
        assert (code, "comes with the run's own id and options" in err) == (2, True)
        code, out, err = harness.cli("submit", "--resume", "stop", *harness.backend[:2])
        assert (code, "run: stopped\n" in out) == (0, True), err
        harness.finish("stopped")
        assert harness.state("stopped") == "succeeded"
        assert harness.count("stopped") == 1


class ClusterContract(BackendContract):
    """Further tests of the cluster backends; ``harness.fail`` ends with exit code 3."""

    def test_a_running_run_is_not_started_again(self, harness):
        harness.begin("busy")
        code, out, err = harness.submit("busy")
        assert (code, "already submitted" in out) == (0, True), err
        code, out, err = harness.submit("busy", "--memory", "4Gi", "--json")
        assert (code, json.loads(out)["outcome"], "other resources" in err) == (0, "already submitted", True)
        assert harness.count("busy") == 1
        harness.finish("busy")

    def test_a_run_is_listed_and_found_by_a_prefix_of_its_id_and_by_its_object(self, harness):
        harness.begin("listed-here")
        for name in ("listed-here", "listed", "phase2-listed-here"):
            code, out, err = harness.cli("status", name, "--json")
            assert (code, json.loads(out)["run_id"]) == (0, "listed-here"), err
        found = json.loads(harness.cli("status", "--json")[1])
        assert ("listed-here", "cgcnn", "smoke") in {(one["run_id"], one["algorithm"], one["mode"]) for one in found}
        code, _, err = harness.cli("status", "listed-hree")
        assert (code, "Did you mean 'listed-here'?" in err) == (2, True)
        harness.finish("listed-here")

    def test_cancelling_is_idempotent(self, harness):
        harness.begin("cancelled")
        harness.cancel("cancelled")
        code, _, err = harness.cli("cancel", "cancelled", "--yes")
        assert (code, "it cancelled already" in err) == (0, True)
        assert harness.state("cancelled") == "cancelled"

    def test_following_ends_with_the_exit_code_of_the_run(self, harness):
        harness.begin("watched")
        harness.fail("watched")
        code, _, err = harness.cli("logs", "watched", "--follow")
        assert code == 0, err
        assert "failed with exit code 3" in err
        assert json.loads(harness.cli("status", "watched", "--json")[1])["exit_code"] == 3
