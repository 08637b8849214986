"""Kubernetes names, labels, node selectors and tolerations: parsed and validated."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from phase2.errors import RequestError, UnknownNameError

JOB_PREFIX = "phase2-"
_LONGEST_LABEL = 63
_LONGEST_SUBDOMAIN = 253

_LABEL_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL_VALUE = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_UNSAFE = re.compile(r"[^a-z0-9]+")

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


@dataclass(frozen=True, slots=True)
class Toleration:
    """Taint that the pod tolerates.

    Attributes:
        key: Key of the taint; None tolerates every key.
        value: Value of the taint; None tolerates every value.
        effect: Effect of the taint; None tolerates every effect.
        seconds: Time after which the pod is evicted all the same; None is never.
    """

    key: str | None
    value: str | None
    effect: str | None
    seconds: int | None = None

    def manifest(self) -> dict[str, str | int]:
        """Return the toleration as in a pod spec."""
        given: dict[str, str | int | None] = {
            "key": self.key,
            "operator": "Exists" if self.value is None else "Equal",
            "value": self.value,
            "effect": self.effect,
            "tolerationSeconds": self.seconds,
        }
        return {name: value for name, value in given.items() if value is not None}

    @classmethod
    def from_manifest(cls, manifest: Mapping[str, Any]) -> Toleration:
        """Parse a toleration as in a pod spec.

        Raises:
            RequestError: It is none.
            UnknownNameError: There is no such effect.
        """
        entry, text = dict(manifest), json.dumps(dict(manifest))
        operator, key, value = entry.pop("operator", "Equal"), entry.pop("key", None), entry.pop("value", None)
        effect, seconds = entry.pop("effect", None), entry.pop("tolerationSeconds", None)
        shape = (
            not entry
            and operator in {"Equal", "Exists"}
            and (_is_label_key(str(key)) if key else operator == "Exists")
            and (value is None or (operator == "Equal" and _is_label_value(str(value))))
            and (seconds is None or (isinstance(seconds, int) and effect == "NoExecute"))
        )
        if not shape:
            raise _invalid(
                "--toleration",
                text,
                "It is a taint of a node, as in a pod.",
                'Write {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}, say.',
            )
        if effect and effect not in EFFECTS:
            raise UnknownNameError.of("effect of a taint", str(effect), EFFECTS)
        found = None if operator == "Exists" else str(value or "")
        return cls(str(key) if key else None, found, effect or None, seconds)


def job_name(run_id: str) -> str:
    """Return the name of a run's object; different ids have different names.

    Example:
        >>> job_name("0f3a9c2e")
        'phase2-0f3a9c2e'
        >>> job_name("MgO_1")
        'phase2-mgo-1-32d3b51f'
    """
    if _LABEL_NAME.fullmatch(run_id) and len(JOB_PREFIX + run_id) <= _LONGEST_LABEL:
        return JOB_PREFIX + run_id
    tail = "-" + hashlib.sha256(run_id.encode()).hexdigest()[:8]
    safe = _UNSAFE.sub("-", run_id.lower())[: _LONGEST_LABEL - len(JOB_PREFIX + tail)].strip("-")
    return JOB_PREFIX + safe + tail


def check_label_name(name: str, option: str) -> str:
    """Validate a DNS label (RFC 1123), such as the name of a namespace, and return it.

    Raises:
        RequestError: It is not one.
    """
    if len(name) > _LONGEST_LABEL or not _LABEL_NAME.fullmatch(name):
        raise _invalid(option, name, "It has 1 to 63 lower-case letters, digits and '-', and no '-' at its ends.")
    return name


def check_subdomain(name: str, option: str) -> str:
    """Validate a DNS subdomain (RFC 1123), such as the name of most objects, and return it.

    Raises:
        RequestError: It is not one.
    """
    if len(name) > _LONGEST_SUBDOMAIN or not _SUBDOMAIN.fullmatch(name):
        raise _invalid(
            option,
            name,
            "It has 1 to 253 lower-case letters, digits, '-' and '.', and begins and ends with a letter or digit.",
        )
    return name


def parse_node_selector(text: str) -> tuple[str, str]:
    """Parse ``key=value``, a label that the node must have.

    Raises:
        RequestError: It is not a label.
    """
    key, equals, value = text.partition("=")
    if not equals or not _is_label_key(key) or not _is_label_value(value):
        raise _invalid("--node-selector", text, "It is a label of a node, key=value.", "Write gpu=a100, say.")
    return key, value


def parse_toleration(text: str) -> Toleration:
    """Parse ``key=value:Effect``, ``key:Effect``, ``key=value``, ``key``, or a toleration of a pod as JSON.

    Raises:
        RequestError: It is not a taint.
        UnknownNameError: There is no such effect.
    """
    if text.lstrip().startswith("{"):
        return Toleration.from_manifest(parse_object(text, "--toleration"))
    taint, colon, effect = text.partition(":")
    key, equals, value = taint.partition("=")
    if not _is_label_key(key) or (equals and not _is_label_value(value)):
        raise _invalid(
            "--toleration", text, "It is a taint of a node.", "Write nvidia.com/gpu=present:NoSchedule, say."
        )
    if colon and effect not in EFFECTS:
        raise UnknownNameError.of("effect of a taint", effect, EFFECTS)
    return Toleration(key, value if equals else None, effect or None)


def parse_object(text: str, option: str) -> dict[str, Any]:
    """Parse a JSON object.

    Raises:
        RequestError: It is none.
    """
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise _invalid(option, text, "It is no JSON object.", "Write it as in a pod, in JSON.")
    return found


def check_resource_name(name: str, option: str) -> str:
    """Validate the name of a resource of nodes, such as ``nvidia.com/gpu``, and return it.

    Raises:
        RequestError: It is none.
    """
    if "/" not in name or not _is_label_key(name):
        raise _invalid(option, name, "It is a resource of nodes, vendor/name.", "Write nvidia.com/gpu, say.")
    return name


def check_label_value(value: str, option: str) -> str:
    """Validate the value of a label and return it.

    Raises:
        RequestError: A label cannot have this value.
    """
    if not value or not _is_label_value(value):
        raise _invalid(option, value, "It has 1 to 63 letters, digits, '.', '_' and '-'.")
    return value


def _is_label_key(key: str) -> bool:
    prefix, slash, name = key.rpartition("/")
    named = len(name) <= _LONGEST_LABEL and _LABEL_VALUE.fullmatch(name) is not None
    return named and (not slash or (len(prefix) <= _LONGEST_SUBDOMAIN and _SUBDOMAIN.fullmatch(prefix) is not None))


def _is_label_value(value: str) -> bool:
    return not value or (len(value) <= _LONGEST_LABEL and _LABEL_VALUE.fullmatch(value) is not None)


def _invalid(option: str, value: str, why: str, fix: str = "Give such a name.") -> RequestError:
    return RequestError(f"{option} '{value}' cannot be used.", why=why, fix=fix)
