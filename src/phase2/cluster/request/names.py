"""What Kubernetes accepts as a name, a label or a place on a node."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from phase2.errors import RequestError, UnknownNameError

JOB_PREFIX = "phase2-"
_LONGEST_LABEL = 63
_LONGEST_SUBDOMAIN = 253

_LABEL_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_WORD = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_NOT_SAFE = re.compile(r"[^a-z0-9]+")

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


@dataclass(frozen=True, slots=True)
class Toleration:
    """A taint that the pod puts up with.

    Attributes:
        key: Key of the taint.
        value: Its value; None stands any.
        effect: What the taint does to others; None stands all effects.
    """

    key: str
    value: str | None
    effect: str | None

    def manifest(self) -> dict[str, str]:
        """As a pod has it."""
        made = {"key": self.key, "operator": "Exists" if self.value is None else "Equal"}
        if self.value is not None:
            made["value"] = self.value
        return made | ({} if self.effect is None else {"effect": self.effect})


def job_name(run_id: str) -> str:
    """Name of the Job of a run; ids that differ have names that differ.

    Example:
        >>> job_name("0f3a9c2e")
        'phase2-0f3a9c2e'
        >>> job_name("MgO_1")
        'phase2-mgo-1-32d3b51f'
    """
    if _LABEL_NAME.fullmatch(run_id) and len(JOB_PREFIX + run_id) <= _LONGEST_LABEL:
        return JOB_PREFIX + run_id
    tail = "-" + hashlib.sha256(run_id.encode()).hexdigest()[:8]
    safe = _NOT_SAFE.sub("-", run_id.lower())[: _LONGEST_LABEL - len(JOB_PREFIX + tail)].strip("-")
    return JOB_PREFIX + safe + tail


def check_label_name(name: str, option: str) -> str:
    """Return a name of up to 63 small letters, digits and hyphens, such as a namespace has.

    Raises:
        RequestError: It is none.
    """
    if len(name) > _LONGEST_LABEL or not _LABEL_NAME.fullmatch(name):
        raise _bad(option, name, "It has 1 to 63 small letters, digits and '-', and no '-' at its ends.")
    return name


def check_subdomain(name: str, option: str) -> str:
    """Return a name of up to 253 small letters, digits, hyphens and dots, such as most objects have.

    Raises:
        RequestError: It is none.
    """
    if len(name) > _LONGEST_SUBDOMAIN or not _SUBDOMAIN.fullmatch(name):
        raise _bad(option, name, "It has 1 to 253 small letters, digits, '-' and '.', and begins and ends with none.")
    return name


def parse_node_selector(text: str) -> tuple[str, str]:
    """Read ``key=value``, a label that the node must have.

    Raises:
        RequestError: It is no label.
    """
    key, equals, value = text.partition("=")
    if not equals or not _is_label_key(key) or not _is_label_value(value):
        raise _bad("--node-selector", text, "It is a label of a node, key=value.", "Write gpu=a100, say.")
    return key, value


def parse_toleration(text: str) -> Toleration:
    """Read ``key=value:Effect``, ``key:Effect``, ``key=value`` or ``key``, a taint that the pod puts up with.

    Raises:
        RequestError: It is no taint.
        UnknownNameError: The effect is none.
    """
    taint, colon, effect = text.partition(":")
    key, equals, value = taint.partition("=")
    if not _is_label_key(key) or (equals and not _is_label_value(value)):
        raise _bad("--toleration", text, "It is a taint of a node.", "Write nvidia.com/gpu=present:NoSchedule, say.")
    if colon and effect not in EFFECTS:
        raise UnknownNameError.of("effect of a taint", effect, EFFECTS)
    return Toleration(key, value if equals else None, effect or None)


def check_label_value(value: str, option: str) -> str:
    """Return a value that a label can have.

    Raises:
        RequestError: It is none.
    """
    if not value or not _is_label_value(value):
        raise _bad(option, value, "It has 1 to 63 letters, digits, '.', '_' and '-'.")
    return value


def _is_label_key(key: str) -> bool:
    prefix, slash, name = key.rpartition("/")
    named = len(name) <= _LONGEST_LABEL and _WORD.fullmatch(name) is not None
    return named and (not slash or (len(prefix) <= _LONGEST_SUBDOMAIN and _SUBDOMAIN.fullmatch(prefix) is not None))


def _is_label_value(value: str) -> bool:
    return not value or (len(value) <= _LONGEST_LABEL and _WORD.fullmatch(value) is not None)


def _bad(option: str, value: str, why: str, fix: str = "Give such a name.") -> RequestError:
    return RequestError(f"{option} '{value}' cannot be used.", why=why, fix=fix)
