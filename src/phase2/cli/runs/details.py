"""Printing the details of a run as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from phase2.cli.console import print_table
from phase2.cli.runs.summary import print_metrics
from phase2.runs.repeat import portable_command
from phase2.runs.report.leakage import split_sentence
from phase2.runs.report.markdown import number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from phase2.machine.code import Code
    from phase2.machine.hardware import Hardware
    from phase2.machine.place import Place
    from phase2.runs.catalog.unfinished import UnfinishedRun
    from phase2.runs.records.attempts import Attempt
    from phase2.runs.records.manifest import RunManifest


def print_details(prefix: str, manifest: RunManifest) -> None:
    """Print the manifest of a run: settings, environment, errors and files."""
    print_table(prefix, ("", ""), list(_facts(manifest)))
    _print_attempts(manifest.attempts)
    print_metrics(manifest)
    files = [(file.path, f"{file.bytes:,}", file.sha256[:12]) for file in manifest.artifacts]
    print_table("files", ("file", "bytes", "SHA-256"), files, numeric=("bytes",))


def print_unfinished(facts: UnfinishedRun) -> None:
    """Print the settings, the progress and the attempts of an unfinished run."""
    config, saved = facts.recorded.config, facts.checkpoint
    rows = [
        ("run id", facts.recorded.run_id),
        ("status", _status(facts)),
        ("algorithm", f"{config.algorithm} {config.mode}"),
        ("properties", ", ".join(config.properties)),
        ("data", config.data.source),
        ("created", _time(facts.recorded.created)),
        ("saved in the store", f"epoch {saved.epoch}, step {saved.step}, at {_time(saved.saved)}" if saved else "-"),
        ("command", " ".join(facts.recorded.command)),
    ]
    print_table(facts.prefix, ("", ""), rows)
    _print_attempts(facts.attempts)


def _status(facts: UnfinishedRun) -> str:
    return f"pruned at epoch {facts.attempts[-1].pruned_at}" if facts.status == "pruned" else facts.status


def _print_attempts(attempts: Sequence[Attempt]) -> None:
    rows = [
        (_time(a.start), _time(a.end), a.outcome, a.resumed_from or "-", a.host or "-", a.reason or a.changed or "-")
        for a in attempts
    ]
    print_table("attempts", ("start (UTC)", "end (UTC)", "outcome", "resumed from", "host", "reason"), rows)


def _facts(manifest: RunManifest) -> Iterator[tuple[str, str]]:
    data = manifest.data
    yield "run id", manifest.run_id
    yield "status", manifest.status
    yield "algorithm", f"{manifest.algorithm} {manifest.mode}"
    yield "properties", ", ".join(manifest.properties)
    if manifest.left_out:
        yield "without labels", ", ".join(manifest.left_out)
    yield "data", f"{data.source}, {data.used:,} crystals ({data.fingerprint[:12]})" if data else "-"
    if data:
        yield "split", f"{split_sentence(manifest.config.data, data.split)} ({data.split_fingerprint[:12]})"
    if data and data.address:
        yield "data address", data.address
    if manifest.lineage:
        source = manifest.lineage.source
        yield "started from", f"run {source.run_id} ({source.sha256[:12]}), {source.address}"
    yield "score", number(manifest.score)
    yield "size", f"{sum(file.bytes for file in manifest.artifacts) / 1e6:.1f} MB in {len(manifest.artifacts)} files"
    yield "hardware", _hardware(manifest.hardware)
    yield "ran on", _place(manifest.place)
    yield "phase2", _code(manifest.code)
    yield "command", " ".join(manifest.command)
    if (command := portable_command(manifest)) != manifest.command:
        yield "on any machine", " ".join(command)


def _hardware(hardware: Hardware) -> str:
    memory = f", {hardware.memory_bytes / 2**30:.0f} GiB" if hardware.memory_bytes else ""
    return f"{hardware.gpu or hardware.cpu}, {hardware.cores:g} cores{memory}, {hardware.platform}"


def _place(place: Place) -> str:
    """Join the name of the machine with those of the cluster that apply."""
    names = {"pod": place.pod, "namespace": place.namespace, "node": place.node, "workflow": place.workflow}
    return ", ".join([place.host, *(f"{kind} {name}" for kind, name in names.items() if name)])


def _code(code: Code) -> str:
    changed = ", changed" if code.dirty else ""
    commit = f", commit {code.commit[:12]}{changed}" if code.commit else ""
    image = f", image {code.image_digest}" if code.image_digest else ""
    return f"{code.phase2}{commit}{image}, Python {code.python}"


def _time(time: datetime | None) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S}" if time else "-"
