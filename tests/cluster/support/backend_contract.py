"""What holds wherever a run is carried out: a Job, a Workflow, a process here. Each inherits it with its own place."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable

import pytest

REQUEST = ("--algorithm", "cgcnn", "--level", "smoke", "--max-samples", "60", "--epochs", "60")
Say = Callable[..., tuple[int, str, str]]
OVER = {"succeeded", "failed", "cancelled"}


class Place(ABC):
    """Where runs of one backend are carried out, as a person sees it.

    Args:
        say: Runs a command; returns exit code, standard output and standard error.

    Attributes:
        backend: The words that choose it, and what it needs besides.
    """

    backend: tuple[str, ...]

    def __init__(self, say: Say) -> None:
        self.say = say

    def submit(self, run_id: str, *words: str) -> tuple[int, str, str]:
        return self.say("submit", *REQUEST, *self.backend, "--run-id", run_id, *words)

    @abstractmethod
    def begin(self, run_id: str) -> None:
        """Submit a run, and leave it at work."""

    @abstractmethod
    def finish(self, run_id: str) -> None:
        """Let a run that is at work come to its end."""

    @abstractmethod
    def fail(self, run_id: str) -> None:
        """Let a run that is at work fail, in a way that another attempt may not."""

    @abstractmethod
    def cancel(self, run_id: str) -> None:
        """Stop a run that is at work, and wait until it has stopped."""

    @abstractmethod
    def state(self, run_id: str) -> str:
        """What became of a run."""

    @abstractmethod
    def count(self, run_id: str) -> int:
        """How often a run is carried out, or was."""


class BackendContract:
    """Tests that take a fixture ``place``."""

    def test_a_run_that_has_succeeded_is_not_begun_again(self, place):
        place.begin("once")
        assert place.state("once") not in OVER
        place.finish("once")
        assert place.state("once") == "succeeded"
        code, out, err = place.submit("once")
        assert (code, "already succeeded" in out) == (0, True), err
        assert place.count("once") == 1

    def test_another_request_under_the_same_id_is_refused(self, place):
        place.begin("taken")
        code, _, err = place.submit("taken", "--seed", "7")
        assert (code, "belongs to another request" in err) == (2, True), err
        assert place.count("taken") == 1
        place.finish("taken")

    def test_a_dry_run_changes_nothing(self, place):
        code, out, err = place.submit("dry", "--dry-run")
        assert (code, "dry" in out) == (0, True), err
        code, out, err = place.submit("dry", "--dry-run", "--json")
        assert (code, json.loads(out)["run"]) == (0, "dry"), err
        assert place.count("dry") == 0

    @pytest.mark.parametrize(
        ("words", "says"),
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
    def test_a_word_that_is_none_is_refused_with_the_nearest_one(self, place, words, says):
        code, _, err = place.submit("bad", *words)
        assert code == 2
        assert says in err
        assert place.count("bad") == 0

    def test_a_run_that_failed_is_begun_again_and_goes_on(self, place):
        place.begin("again")
        place.fail("again")
        assert place.state("again") != "succeeded"
        place.begin("again")
        place.finish("again")
        assert place.state("again") == "succeeded"
        assert place.count("again") == 1

    def test_a_run_that_was_stopped_goes_on_with_its_own_words(self, place):
        place.begin("stopped")
        place.cancel("stopped")
        assert place.state("stopped") in {"cancelled", "unfinished"}
        code, _, err = place.say("submit", "--resume", "stopped", *place.backend, "--seed", "7")
        assert (code, "comes with the run's own id and options" in err) == (2, True)
        code, out, err = place.say("submit", "--resume", "stop", *place.backend[:2])
        assert (code, "run: stopped\n" in out) == (0, True), err
        place.finish("stopped")
        assert place.state("stopped") == "succeeded"
        assert place.count("stopped") == 1


class ClusterContract(BackendContract):
    """What holds besides where a run is carried by an object of a cluster; ``place.fail`` ends with exit code 3."""

    def test_a_run_at_work_is_not_begun_again(self, place):
        place.begin("busy")
        code, out, err = place.submit("busy")
        assert (code, "already submitted" in out) == (0, True), err
        code, out, err = place.submit("busy", "--memory", "4Gi", "--json")
        assert (code, json.loads(out)["outcome"], "other resources" in err) == (0, "already submitted", True)
        assert place.count("busy") == 1
        place.finish("busy")

    def test_a_run_is_listed_and_found_by_the_beginning_of_its_id_and_by_its_object(self, place):
        place.begin("listed-here")
        for name in ("listed-here", "listed", "phase2-listed-here"):
            code, out, err = place.say("status", name, "--json")
            assert (code, json.loads(out)["run_id"]) == (0, "listed-here"), err
        found = json.loads(place.say("status", "--json")[1])
        assert ("listed-here", "cgcnn", "smoke") in {(one["run_id"], one["algorithm"], one["mode"]) for one in found}
        code, _, err = place.say("status", "listed-hree")
        assert (code, "Did you mean 'listed-here'?" in err) == (2, True)
        place.finish("listed-here")

    def test_cancelling_twice_does_nothing_twice(self, place):
        place.begin("cancelled")
        place.cancel("cancelled")
        code, _, err = place.say("cancel", "cancelled", "--yes")
        assert (code, "it cancelled already" in err) == (0, True)
        assert place.state("cancelled") == "cancelled"

    def test_watching_ends_with_the_exit_code_of_the_run(self, place):
        place.begin("watched")
        place.fail("watched")
        code, _, err = place.say("logs", "watched", "--follow")
        assert code == 0, err
        assert "failed with exit code 3" in err
        assert json.loads(place.say("status", "watched", "--json")[1])["exit_code"] == 3
