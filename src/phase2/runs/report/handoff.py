"""The hand-off page of a model (``HANDOFF.md``)."""

from __future__ import annotations

import shlex

from phase2.output.markdown_text import Markup, code, code_line, markdown_text
from phase2.runs.layout import BEST
from phase2.runs.records.manifest import DataFacts, RunManifest
from phase2.runs.report.boosting import boosting_sentence
from phase2.runs.report.caveats import caveats
from phase2.runs.report.foundation import foundation_caveats, foundation_sentence
from phase2.runs.report.leakage import split_sentence
from phase2.runs.report.markdown import bullets, number, paragraph, table
from phase2.runs.report.tables.intervals import intervals_section
from phase2.runs.report.tables.metrics import metrics_table

_PAGE = """\
# Hand-off: {run_id}

{summary}

## Errors

{metrics}
{boosting}
Validation score {score} in epoch {best_epoch} of {epochs}: mean over the properties of MAE / MAE of the median
baseline{score_means}
{intervals}
## Before you use it

{caveats}

## Use it

```console
$ phase2 predict --model {best} --cif structure.cif
$ phase2 predict --model {best} --dir structures --output predictions.csv
```

`best.pt` needs no file beside it. Predictions come in the units above.

## Make it again

```console
$ {command}
```

A stopped run of this request is resumed by the same command with `--resume`. Equal code, data, machine and
number of threads give equal numbers. `run_config.json` has every setting with its origin.

## Where it comes from

{provenance}
"""

_OF_VALUES = ". Lower is better; 1 is as good as predicting the median of the training labels for every crystal."
_WITH_BINARY = """, or where they are binary of log loss / log loss of the share of true training labels. Lower is
better; 1 is as good as these baselines."""


def handoff(manifest: RunManifest, folder: str) -> str:
    """Write the hand-off page of a finished run, in Markdown.

    Args:
        manifest: Its manifest; files need not be listed yet.
        folder: Path of the run directory to print on the page.
    """
    return _PAGE.format(
        run_id=markdown_text(manifest.run_id),
        summary=_summary(manifest, folder),
        metrics=metrics_table(manifest.val, manifest.test, manifest.baselines),
        boosting=paragraph(markdown_text(boosting_sentence(manifest.val, manifest.baselines))),
        score=number(manifest.score),
        score_means=_WITH_BINARY if any(one.is_binary for one in manifest.val) else _OF_VALUES,
        best_epoch=manifest.best_epoch,
        epochs=manifest.epochs,
        intervals=paragraph(intervals_section(manifest.intervals)),
        caveats=bullets(_caveats(manifest), none="None that the numbers show."),
        best=code_line(shlex.quote(f"{folder}/{BEST}")),
        command=code_line(shlex.join(manifest.command)),
        provenance=_provenance(manifest),
    )


def _caveats(manifest: RunManifest) -> list[str]:
    inherited = manifest.lineage.caveats() if manifest.lineage else []
    seen = foundation_caveats(manifest.config, manifest.properties)
    return [*seen, *caveats(manifest.test, manifest.left_out, manifest.config.data.own), *inherited]


def _summary(manifest: RunManifest, folder: str) -> str:
    rows = [
        ("algorithm", manifest.algorithm),
        ("mode", f"level {manifest.level}" if manifest.level else "competition"),
        ("all properties", "yes" if manifest.all_properties else "no"),
        ("properties", ", ".join(manifest.properties)),
        ("status", manifest.status),
        ("run directory", code(folder)),
        ("model", code(f"{folder}/{BEST}")),
    ]
    return table(("hand-off", ""), rows)


def _provenance(manifest: RunManifest) -> str:
    software = manifest.code
    seen = foundation_sentence(manifest.config)
    rows = [
        *([("pretrained features", seen)] if seen else []),
        *([("starting weights", manifest.lineage.sentence())] if manifest.lineage else []),
        *(_data(manifest.data, manifest) if manifest.data else []),
        ("phase2", software.phase2),
        ("commit", _commit(software.commit, dirty=software.dirty)),
        ("image", software.image_digest or "none"),
        ("Python", software.python),
        ("packages", ", ".join(f"{name} {version}" for name, version in software.packages.items())),
        ("hardware", f"{manifest.hardware.gpu or manifest.hardware.cpu}, {manifest.hardware.cores:g} cores"),
        ("configuration", Markup(f"SHA-256 {code(manifest.config_digest)}")),
        ("seed", str(manifest.config.seed)),
    ]
    return table(("what", "value"), rows)


def _data(data: DataFacts, manifest: RunManifest) -> list[tuple[str, str]]:
    parts = f"{data.train:,} training, {data.val:,} validation, {data.test:,} test"
    return [
        ("data set", data.source),
        ("crystals", f"{data.used:,} of {data.read:,}: {parts}"),
        *([("data address", code(data.address))] if data.address else []),
        ("split", split_sentence(manifest.config.data, data.split)),
        *([("leakage", manifest.leakage.sentence())] if manifest.leakage else []),
        ("data fingerprint", code(data.fingerprint)),
        ("split fingerprint", code(data.split_fingerprint)),
    ]


def _commit(commit: str | None, *, dirty: bool | None) -> str:
    if commit is None:
        return "unknown: not run from a checkout"
    return Markup(code(commit) + (", with changes that are not committed" if dirty else ""))
