"""What a message says: which run, how it ended, its errors by property, and where it lies. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from phase2.errors import Phase2Error
from phase2.output.secrets import without_secrets
from phase2.output.visible import line
from phase2.runs.catalog.ranking import RunRow
from phase2.runs.catalog.summary import RunSummary
from phase2.runs.records.manifest import RunManifest
from phase2.runs.report.markdown import number
from phase2.runs.report.tables.metrics import metrics_rows

_MOST_LINES = 40
_LONGEST_LINE = 400


@dataclass(frozen=True, slots=True)
class Message:
    """Message of the end of something.

    Attributes:
        title: Its title.
        body: Its lines.
        is_failure: Whether it ended with an error.
    """

    title: str
    body: str
    is_failure: bool = False

    @classmethod
    def of(cls, title: str, lines: Iterable[str], *, is_failure: bool = False) -> Message:
        """Make a message of lines, without keys, hidden characters or lines beyond the longest that is useful."""
        shown = [line(without_secrets(each))[:_LONGEST_LINE] for each in lines if each]
        more = [f"... and {len(shown) - _MOST_LINES} lines more"] if len(shown) > _MOST_LINES else []
        return cls(line(without_secrets(title)), "\n".join(shown[:_MOST_LINES] + more), is_failure)


def run_finished(manifest: RunManifest, address: str) -> Message:
    """Say that a run is finished.

    Args:
        manifest: Its manifest.
        address: Where it lies: in the store, or on this machine.
    """
    return Message.of(f"phase2: run {manifest.run_id} finished", [*_facts(manifest), f"run: {address}"])


def runs_finished(what: str, manifests: Sequence[RunManifest], addresses: Sequence[str]) -> Message:
    """Say that several runs are finished, such as those of an ensemble."""
    lines = [
        f"{manifest.run_id}: score {number(manifest.score)}, {address}"
        for manifest, address in zip(manifests, addresses, strict=True)
    ]
    return Message.of(f"phase2: {what} finished", lines)


def ranking(what: str, rows: Sequence[RunRow], *, failed: Sequence[str] = ()) -> Message:
    """Say how the runs of a sweep ended.

    Args:
        what: The sweep.
        rows: The finished runs, the best first.
        failed: Ids of the others.
    """
    lines = [f"{row.run_id}: score {number(row.score)}" for row in rows]
    lines += [f"{run_id}: not finished" for run_id in failed]
    how = f"finished, {len(failed)} of {len(rows) + len(failed)} runs failed" if failed else "finished"
    return Message.of(f"phase2: {what} {how}", lines, is_failure=bool(failed))


def workflow_ended(
    name: str, status: str, failed_steps: Sequence[str], runs: Sequence[RunSummary], addresses: Sequence[str]
) -> Message:
    """Say how a workflow ended.

    Args:
        name: Its name.
        status: ``Succeeded``, ``Failed`` or ``Error``.
        failed_steps: A line for each step that did not succeed.
        runs: Its finished runs, the best first.
        addresses: Where each of them lies.
    """
    lines = list(failed_steps)
    for run, address in zip(runs, addresses, strict=True):
        errors = "; ".join(
            f"validation {what}: " + ", ".join(f"{key} {number(error)}" for key, error in found.items())
            for what, found in (("MAE", run.val_mae), ("log loss", run.val_log_loss))
            if found
        )
        lines.append("; ".join(filter(None, (f"{run.run_id}: score {number(run.score)}", errors, address))))
    return Message.of(f"phase2: workflow {name}: {status}", lines, is_failure=status != "Succeeded")


def failure(what: str, error: Phase2Error | None, where: str = "") -> Message:
    """Say that something failed.

    Args:
        what: The run, study or sweep.
        error: Why; None for a defect of phase2, whose message may hold anything.
        where: Where it lies; "" where there is nothing.
    """
    lines = ["Internal error: see its log."] if error is None else [error.what, error.why, error.fix]
    return Message.of(f"phase2: {what} failed", [*lines, f"run: {where}" if where else ""], is_failure=True)


def _facts(manifest: RunManifest) -> Iterator[str]:
    yield f"{manifest.algorithm} {manifest.mode}, best epoch {manifest.best_epoch} of {manifest.epochs}"
    baseline = "baseline" if any(one.is_binary for one in manifest.val) else "median baseline"
    yield f"validation score {number(manifest.score)} (1 is the {baseline}; lower is better)"
    for row in metrics_rows(manifest.val, manifest.test, manifest.baselines):
        boosting = f", boosting {number(row.boosting_test_mae)}" if manifest.baselines else ""
        unit = f" {row.unit}" if row.unit else ""
        yield f"{row.key}: test MAE {number(row.test_mae)}{unit} (median {number(row.baseline_mae)}{boosting})"
    for one in manifest.test:
        if one.is_binary:
            yield f"{one.key}: test log loss {number(one.log_loss)} (prior {number(one.baseline_log_loss)})"
