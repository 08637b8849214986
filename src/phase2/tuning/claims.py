"""Claims on the trials of a study: each trial is trained by one worker, until that worker ends or dies.

A claim is an object that is put once, ``.studies/<name>/claims/<trial>/<number>.json``, and names a worker. The one
with the highest number holds; the next is put only when its worker is no longer alive, and only one can put it.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from datetime import datetime

from phase2.storage.base import ObjectDamagedError, ObjectExistsError, ObjectMissingError, Store
from phase2.tuning.keys import study_key
from phase2.tuning.workers import Worker, is_worker_id

_LOG = logging.getLogger(__name__)
_NAME = re.compile(r"([0-9]{6})\.json")


@dataclass(frozen=True, slots=True)
class Claim:
    """The claim of this worker on a trial.

    Attributes:
        trial: Number of the trial.
        number: Number of the claim: earlier ones were those of workers that ended.
    """

    trial: int
    number: int


class Claims:
    """Claims on the trials of a study.

    Args:
        store: The store of the study.
        name: Name of the study.
        worker: This process; None where it only looks.
    """

    def __init__(self, store: Store, name: str, worker: Worker | None = None) -> None:
        self._store = store
        self._name = name
        self._worker = worker or Worker(store, name)

    def take(self, trial: int) -> Claim | None:
        """Claim a trial; None where a live worker holds it."""
        last = self._last(trial)
        if last and self._is_held(Claim(trial, last)):
            return None
        claim = Claim(trial, last + 1)
        try:
            self._store.put(self._key(claim), self._worker.worker_id.encode(), if_absent=True)
        except ObjectExistsError:
            # Or it is this worker's own, whose first response was lost on the way.
            return claim if self._holder(claim) == self._worker.worker_id else None
        return claim

    def is_lost(self, claim: Claim) -> bool:
        """Return whether another worker took the trial over, because this one was silent for too long."""
        return self._store.head(self._key(Claim(claim.trial, claim.number + 1))) is not None

    def is_held(self, trial: int) -> bool:
        """Return whether a live worker holds a trial."""
        last = self._last(trial)
        return last > 0 and self._is_held(Claim(trial, last))

    def last_beat(self, trial: int) -> datetime | None:
        """Return when the worker that holds a trial was last heard; None where none does."""
        last = self._last(trial)
        holder = self._holder(Claim(trial, last)) if last else ""
        return self._worker.last_beat(holder) if holder else None

    def _is_held(self, claim: Claim) -> bool:
        holder = self._holder(claim)
        return holder not in {"", self._worker.worker_id} and self._worker.is_alive(holder)

    def _last(self, trial: int) -> int:
        """Return the number of the claim that holds, counted from 1; 0 where there is none."""
        keys = [info.key for info in self._store.list(f"{self._folder(trial)}/")]
        return max((int(found[1]) for key in keys if (found := _NAME.fullmatch(key.rpartition("/")[2]))), default=0)

    def _holder(self, claim: Claim) -> str:
        """Return the id of the worker that put a claim; empty where there is none, or the claim is damaged."""
        key = self._key(claim)
        try:
            found = self._store.read(key).decode("ascii", errors="replace")
        except ObjectMissingError:
            return ""
        except ObjectDamagedError as error:
            _LOG.warning("%s", error)
            return ""
        if is_worker_id(found):
            return found
        _LOG.warning("The claim %s is damaged, and counts as that of a worker that ended.", key)
        return ""

    def _folder(self, trial: int) -> str:
        return study_key(self._name, "claims", f"{trial:06d}")

    def _key(self, claim: Claim) -> str:
        return f"{self._folder(claim.trial)}/{claim.number:06d}.json"
