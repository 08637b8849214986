"""What a container of ours is called with: closed lists of options, and values that name nothing outside.

Kubernetes replaces ``$(NAME)`` in arguments and variables by what the pod's environment holds, the keys of the store
among it: no value has a dollar sign.
"""

from dataclasses import fields

from phase2.cluster.visibility import CACHE
from phase2.config.assignments import SET
from phase2.config.multirun.sweep import LISTS
from phase2.config.request.options import flag
from phase2.config.request.run_request import RunRequest
from phase2.config.search.dimensions import OVER
from tools.manifests.cel import cel_literal

from .comparison import text_in

_NO_OPTIONS = ("output", "settings", "origins")
TRAIN = (
    *(flag(one.name) for one in fields(RunRequest) if one.name not in _NO_OPTIONS),
    SET, "--checkpoint-minutes", "--accept-change",
)  # fmt: skip
"""Options of ``phase2 train`` that a Job has."""

TUNE = (*TRAIN, OVER, "--minimise", "--pruner", "--timeout-hours", "--trials", "--name", "--worker", "--best")
"""Options of ``phase2 tune`` that a Job has."""

SWEEP = (
    *(flag(name) for name in ("algorithm", "all_properties", "properties", "own_properties", "data", *LISTS)),
    SET, "--name", "--pack", "--backend", "--checkpoint-minutes",
)  # fmt: skip
"""Options of ``phase2 sweep`` that a Job has."""

_PART = r"[A-Za-z0-9_][A-Za-z0-9._+=,-]*"
STORE = rf"s3://[a-z0-9][a-z0-9.-]+(/{_PART})*/?"
"""Addresses of a store; a part of one never begins with a dot."""
_CACHED = rf"{CACHE}(/[A-Za-z0-9_][A-Za-z0-9._+=, -]*)+"
_BEST = "/tmp/best[.]yaml"
_SPLIT = rf'(data[.]split=)?"?(file:{_CACHED}|kfold:[0-9]{{1,3}}/[0-9]{{1,3}}(:[A-Za-z0-9_.:+-]+)?)"?'
_SPLITS = rf"{_SPLIT}(,{_SPLIT})*"
_PROPERTY = r'[{]"key":[^{}]*[}]'
"""A property of a person's own as a plan writes it: slashes in it are of units, J/mol/K, and name no path."""
_MOST = 4096

TRANSFER = (rf"{_PART}(/{_PART})*", rf"--only={_PART}(/{_PART})*", rf"--store={STORE}", r"--seconds=[0-9]{1,4}")
"""Words of ``phase2 transfer offer`` and ``part``."""


def of_run(words: str) -> str:
    """Return the condition that words call ``phase2 train``, ``tune`` or ``sweep`` as a plan does."""
    named = " || ".join(
        f"{words}[0] == '{command}' && {words}.all(word, !word.startsWith('-') || word in {cel_literal(list(options))})"
        for command, options in (("train", TRAIN), ("tune", TUNE), ("sweep", SWEEP))
    )
    plain = f"!word.matches('[$[:cntrl:]]|^[.~]') && size(word) <= {_MOST}"
    path = f"!word.contains('/') || {text_in('word', (STORE, _CACHED, _BEST, _SPLITS, _PROPERTY))}"
    return f"{words}.size() > 0 && ({named}) && {words}.all(word, {plain} && ({path}))"


def of_transfer(words: str) -> str:
    """Return the condition that words call ``phase2 transfer`` as ``phase2 pull --through-cluster`` does."""
    return (
        f"{words}.size() > 2 && {words}[0] == 'transfer' && {words}[1] in ['offer', 'part']"
        f" && {words}.all(word, {text_in('word', TRANSFER)})"
    )
