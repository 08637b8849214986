"""Exceeded quotas: what the API server says about one, in words. Pure."""

from __future__ import annotations

import re

from phase2.cluster.request.quantities import parse_quantity

_QUOTA = re.compile(
    r"exceeded quota: (?P<quota>[^,]+), requested: (?P<asked>.+), used: (?P<used>.+), limited: (?P<most>.+)"
)


def quota_message(message: str) -> str | None:
    """Return what a server message says about an exceeded quota; None if it is about something else."""
    found = _QUOTA.search(message)
    if found is None:
        return None
    short = [
        f"{name} ({asked} asked, {used} of {most} in use)"
        for name, asked, used, most in _amounts(found)
        if not _fits(asked, used, most)
    ]
    return f"the quota '{found['quota']}' of the namespace is exceeded: {', '.join(short) or found['asked']}"


def exceeds_whole_quota(message: str) -> bool:
    """Whether a server message says that more is requested than a quota has when nothing is in use."""
    found = _QUOTA.search(message)
    return found is not None and any(not _fits(asked, "0", most) for _, asked, _, most in _amounts(found))


def _amounts(found: re.Match[str]) -> list[tuple[str, str, str, str]]:
    used, most = _pairs(found["used"]), _pairs(found["most"])
    return [(name, asked, used.get(name, "0"), most.get(name, "0")) for name, asked in _pairs(found["asked"]).items()]


def _pairs(text: str) -> dict[str, str]:
    return dict(part.strip().split("=", 1) for part in text.split(",") if "=" in part)


def _fits(asked: str, used: str, most: str) -> bool:
    amounts = [parse_quantity(text) for text in (asked, used, most)]
    if None in amounts:
        return False
    requested, in_use, limit = (amount.value for amount in amounts if amount is not None)
    return requested + in_use <= limit
