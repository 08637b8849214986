"""Facts of a run as rows of a name and a value: hand-off, environment, time, data."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from phase2.runs.layout import BEST
from phase2.runs.report.foundation import foundation_sentence
from phase2.runs.report.html.inputs import RunInput
from phase2.runs.report.leakage import leakage_rows, split_sentence
from phase2.runs.report.markdown import number


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact.

    Attributes:
        name: What it is.
        value: Its value, as text.
        copied: Whether readers copy it: it gets a button, and is set as code.
    """

    name: str
    value: str
    copied: bool = False


def handoff_facts(run: RunInput) -> list[Fact]:
    """Return what the person needs who takes the model over."""
    best = shlex.quote(f"{run.where}/{BEST}")
    finished = run.status == "finished"
    digest = next((one.sha256 for one in run.manifest.artifacts if one.path == BEST), "") if run.manifest else ""
    return [
        Fact("Folder", run.where, copied=True),
        *([Fact("Model", f"{run.where}/{BEST}", copied=True)] if finished else []),
        *([Fact("SHA-256 of the model", digest, copied=True)] if digest else []),
        *([Fact("Predict one crystal", f"phase2 predict --model {best} --cif structure.cif", copied=True)] * finished),
        *([Fact("Predict a folder", f"phase2 predict --model {best} --dir structures", copied=True)] * finished),
        Fact("Train it again" if finished else "Continue it", _command(run, resume=not finished), copied=True),
    ]


def summary_facts(run: RunInput) -> list[Fact]:
    """Return what a reader wants to know first."""
    manifest, config = run.manifest, run.config
    facts = [
        Fact("Algorithm", config.algorithm),
        Fact("Level", config.mode),
        Fact("Properties", ", ".join(prop.key for prop in run.properties)),
        Fact("Status", run.status),
    ]
    if manifest is not None and manifest.best_epoch:
        baseline = "baseline" if any(one.is_binary for one in manifest.val) else "median"
        facts += [
            Fact("Validation score", f"{number(manifest.score)} (1 is the {baseline})"),
            Fact("Best epoch", f"{manifest.best_epoch} of {manifest.epochs}"),
        ]
    if manifest is not None and manifest.left_out:
        facts.append(Fact("Without labels", ", ".join(manifest.left_out)))
    return facts


def environment_facts(run: RunInput) -> list[Fact]:
    """Return what the run was computed with, and where."""
    if run.manifest is None:
        return []
    code, hardware, place = run.manifest.code, run.manifest.hardware, run.manifest.place
    memory = f"{hardware.memory_bytes / 2**30:.1f} GiB" if hardware.memory_bytes else ""
    changed = ", with changes that are not committed" if code.dirty else ""
    rows = [
        ("phase2", code.phase2),
        ("Commit", f"{code.commit[:12]}{changed}" if code.commit else ""),
        ("Image", code.image_digest or ""),
        ("Python", code.python),
        ("Packages", ", ".join(f"{name} {version}" for name, version in code.packages.items())),
        ("GPU", hardware.gpu or ""),
        ("Processor", hardware.cpu),
        ("Cores", f"{hardware.cores:g}"),
        ("Threads", str(hardware.threads or "")),
        ("Memory", memory),
        ("System", hardware.platform),
        ("Machine", place.host),
        ("Pod", place.pod or ""),
        ("Namespace", place.namespace or ""),
        ("Node", place.node or ""),
        ("Workflow", place.workflow or ""),
    ]
    return [Fact(name, value) for name, value in rows if value]


def time_facts(run: RunInput) -> list[Fact]:
    """Return how long the run took, and how fast it was."""
    history = run.history
    if not history:
        return []
    seconds = sum(row.seconds for row in history)
    rates = sorted(row.structures_per_second for row in history)
    waits = [row.data_wait for row in history]
    return [
        Fact("Epochs", f"{len(history):,} of {run.config.training.epochs:,}"),
        Fact("Steps", f"{history[-1].step:,}"),
        Fact("Training", duration(seconds)),
        Fact("An epoch", duration(seconds / len(history))),
        Fact("Speed, median", f"{rates[len(rates) // 2]:,.0f} crystals/s"),
        Fact("Waiting for data", f"{100 * sum(waits) / len(waits):.1f} % of the training"),
    ]


def data_facts(run: RunInput) -> list[Fact]:
    """Return what the run was trained on, and what is known of leakage."""
    data = run.manifest.data if run.manifest else None
    config = run.config.data
    if data is None:
        return [Fact("Data set", config.source)]
    return [
        Fact("Data set", data.source),
        Fact("Records", f"{data.read:,} read, {data.rejected:,} no valid crystal, {data.unlabelled:,} without a label"),
        Fact("Crystals", f"{data.train:,} training, {data.val:,} validation, {data.test:,} test"),
        Fact("Split", f"{split_sentence(config, data.split)}; {':'.join(f'{share:g}' for share in config.fractions)}"),
        *_leakage(run),
        *_twins(run),
        *_before(run),
        Fact("Data fingerprint", data.fingerprint, copied=True),
        Fact("Split fingerprint", data.split_fingerprint, copied=True),
    ]


def duration(seconds: float) -> str:
    """Write a time in its two largest units.

    Example:
        >>> duration(3725), duration(0.25)
        ('1 h 2 min', '0.25 s')
    """
    if seconds < 60:
        return f"{seconds:.3g} s"
    units = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
    rest = round(seconds)
    parts: list[str] = []
    for size, name in units:
        count, rest = divmod(rest, size)
        if count or parts:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2])


def _leakage(run: RunInput) -> Iterator[Fact]:
    crystals, data = run.crystals, run.manifest.data if run.manifest else None
    if crystals is None or data is None or not data.test or not data.val:
        return
    test, val = len(crystals.test_seen), crystals.val_seen
    shares = f"{test:,} of {data.test:,} test ({100 * test / data.test:.0f} %), {val:,} of {data.val:,} validation"
    yield Fact("Composition also in training", f"{shares} ({100 * val / data.val:.0f} %)")


def _twins(run: RunInput) -> Iterator[Fact]:
    leakage = run.manifest.leakage if run.manifest else None
    if leakage is None:
        return
    yield Fact("Twins in training", leakage.sentence())
    if leakage.twins + leakage.near_twins:
        for key, unit, twins, on, others, off in leakage_rows(leakage):
            yield Fact(f"Error on twins, {key}", f"{on} on {twins} with a twin, {off} on {others} without, {unit}")


def _before(run: RunInput) -> Iterator[Fact]:
    """What the network had learned from before this run."""
    if sentence := foundation_sentence(run.config):
        yield Fact("Pretrained features", sentence)
    if run.manifest and run.manifest.lineage:
        yield Fact("Starting weights", run.manifest.lineage.sentence())


def _command(run: RunInput, *, resume: bool) -> str:
    return shlex.join([*run.command, *(["--resume"] if resume else [])])
