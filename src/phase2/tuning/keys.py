"""Keys of a study in a store: everything below ``.studies/<name>/``, which is hidden from lists of runs."""

from __future__ import annotations

from phase2.errors import RequestError, UnknownNameError
from phase2.runs.layout import check_run_id
from phase2.storage.base import Store

STUDIES = ".studies"
_LONGEST = 55  # with a hyphen and the number of a trial it is a run id


def check_study_name(name: str) -> str:
    """Return a name that is a valid beginning of run ids.

    Raises:
        RequestError: It is not valid.
    """
    try:
        return check_run_id(name) if len(name) <= _LONGEST else check_run_id("")
    except RequestError as error:
        raise RequestError(
            f"'{name}' is not a valid name of a study.",
            why=f"It has 1 to {_LONGEST} letters, digits, '.', '_' and '-', and begins and ends with a letter or a "
            "digit: the runs of its trials are NAME-0, NAME-1, ...",
            fix="Give another --name.",
        ) from error


def study_key(name: str, *parts: str) -> str:
    """Return a key of a study: ``study_key("size", "study.json")`` is ``.studies/size/study.json``."""
    return "/".join((STUDIES, name, *parts))


def study_names(store: Store) -> list[str]:
    """List the studies of a store."""
    return [folder.rpartition("/")[2] for folder in store.folders(f"{STUDIES}/")]


def unknown_study(store: Store, name: str) -> RequestError:
    """Return the error of a study that is not in a store; the nearest name is offered."""
    names = study_names(store)
    if names:
        return UnknownNameError.of("study", name, names)
    return RequestError(
        f"There is no study '{name}' in {store.url}.",
        why="No study was started there.",
        fix="Name its store with --store, or start it: phase2 tune --name NAME --over PATH=VALUES.",
    )
