"""The table of what the policies of Argo's kinds take and refuse."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from tests.argo.manifests import ARGO, documents, of_kind

_TABLE = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
_GOOD = {"created": documents(ARGO / "phase2.yaml")[0], "scheduled": of_kind("CronWorkflow")["phase2-nightly"]}


@dataclass(frozen=True)
class Case:
    """Request of a person, and what the API server says.

    Attributes:
        name: What is asked.
        body: The object, or the merge patch.
        says: What a refusal may say; empty where the request is taken.
    """

    name: str
    body: dict[str, Any]
    says: tuple[str, ...]


def cases(section: str) -> list[Case]:
    """Return the cases of a section of the table."""
    return list(_cases(section))


def _cases(section: str) -> Iterator[Case]:
    for row in _TABLE[section]:
        says = row.get("says", [])
        yield Case(row["name"], _body(section, row), (says,) if isinstance(says, str) else tuple(says))


def _body(section: str, row: dict[str, Any]) -> dict[str, Any]:
    if section == "updated":
        return dict(row["change"])
    if "change" in row:
        return _merged(_GOOD[section], row["change"])
    made = {"metadata": {"generateName": "x-"}, "kind": "Workflow", **row["object"]}
    return {"apiVersion": "argoproj.io/v1alpha1", **made}


def _merged(good: Any, change: Any) -> Any:
    """Return a merge patch applied to an object; a list replaces the one that was there."""
    if not isinstance(change, dict):
        return change
    made = copy.deepcopy(good) if isinstance(good, dict) else {}
    for key, item in change.items():
        if item is None and key in made:
            del made[key]
        else:
            made[key] = _merged(made.get(key), item)
    return made
