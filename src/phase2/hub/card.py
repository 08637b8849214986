"""The README of a model on the Hub: its model card behind the metadata that the Hub reads. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from phase2.runs.records.manifest import RunManifest
from phase2.runs.records.results import PropertyMetrics
from phase2.runs.report.model_card import model_card

_USE = """\
## How to use

```shell
pip install 'phase2[train,hub]'
hf download {repo} --local-dir {name}
phase2 predict --model {name} --cif structure.cif
```

`model.safetensors` and `config.json` together are the run's `best.pt`: they predict the same numbers, bit for bit.

"""


def hub_card(manifest: RunManifest, repo: str, *, licence: str | None) -> str:
    """Write the README of a model.

    Args:
        manifest: Manifest of the finished run.
        repo: Name of the repository, ``owner/name``.
        licence: Identifier of the licence of the weights, as the Hub has it; None where it is not stated.
    """
    front = yaml.safe_dump(_metadata(manifest, licence), sort_keys=False, allow_unicode=True)
    title, _, rest = model_card(manifest).partition("\n")
    use = _USE.format(repo=repo, name=repo.rpartition("/")[2])
    return f"---\n{front}---\n\n{title}\n\n{use}{rest.lstrip()}"


def _metadata(manifest: RunManifest, licence: str | None) -> dict[str, Any]:
    stated = {"license": licence} if licence else {"license": "other", "license_name": "not-stated"}
    return {
        **stated,
        "library_name": "phase2",
        "pipeline_tag": "graph-ml",
        "tags": [
            "phase2",
            "materials-science",
            "crystals",
            "multi-task",
            manifest.algorithm,
            f"level-{manifest.mode}",
            *(key.replace("_", "-") for key in manifest.properties),
        ],
        "metrics": ["mae"],
        "model-index": [{"name": manifest.run_id, "results": list(_results(manifest))}],
    }


def _results(manifest: RunManifest) -> Iterator[dict[str, Any]]:
    """Yield the errors on the test part, property by property; the Hub's model index has no place for baselines."""
    data = manifest.data
    dataset = {"type": "crystals", "name": data.source if data else "unknown", "split": "test"}
    if data:
        dataset["revision"] = data.split_fingerprint
    for row in manifest.test:
        metrics = [metric for metric in _metrics(row) if metric["value"] is not None]
        if metrics:
            name = manifest.config.get_property(row.key).title
            yield {"task": {"type": "graph-ml", "name": name}, "dataset": dict(dataset), "metrics": metrics}


def _metrics(row: PropertyMetrics) -> Iterator[dict[str, Any]]:
    if row.is_binary:
        for name in ("log_loss", "roc_auc", "accuracy", "f1"):
            yield {"type": name, "value": getattr(row, name), "name": f"{name} of {row.key}"}
        return
    unit = f", {row.unit}" if row.unit else ""
    yield {"type": "mae", "value": row.mae, "name": f"MAE of {row.key}{unit}"}
    yield {"type": "rmse", "value": row.rmse, "name": f"RMSE of {row.key}{unit}"}
    yield {"type": "r2", "value": row.r2, "name": f"R2 of {row.key}"}
    yield {
        "type": "mae",
        "value": row.baseline_mae,
        "name": f"MAE of the median of the training labels, {row.key}{unit}",
    }
