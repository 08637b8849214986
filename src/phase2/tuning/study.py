"""A study: its trials, kept by Optuna in the journal of the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import optuna
from optuna.storages import JournalStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from phase2.config.resolve import flatten, resolve
from phase2.storage.base import Store
from phase2.tuning.definition import StudyDefinition
from phase2.tuning.journal.backend import StoreJournal
from phase2.tuning.keys import study_key
from phase2.tuning.pruning import make_pruner
from phase2.tuning.sampling import distributions, propose, values_of

State = Literal["running", "interrupted", "complete", "pruned", "failed"]
_STATES: Mapping[TrialState, State] = {
    TrialState.RUNNING: "running",
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
}
_NUMBER, _REASON, _DATA = "number", "reason", "data"


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial of a study.

    Attributes:
        number: Its number, counted from 0.
        values: Values of the searched settings, by path.
        state: ``running`` also where its worker was killed and it waits for the next; ``interrupted`` where that is
            known.
        score: What is minimised: of the best epoch where it is complete, of the last where it is not; None before any.
        epochs: Last epoch that was reported.
        reason: Why it failed, in words; empty otherwise.
        run_id: Id of its run.
    """

    number: int
    values: Mapping[str, object]
    state: State
    score: float | None
    epochs: int
    reason: str
    run_id: str

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to do."""
        return self.state not in {"running", "interrupted"}


class Study:
    """A study in a store.

    Args:
        store: The store.
        definition: Its definition.
    """

    def __init__(self, store: Store, definition: StudyDefinition) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        config = resolve(definition.request).config
        self.definition = definition
        self._space = definition.search_space
        self._seed = config.seed
        self._first = dict(flatten(config.model_dump(mode="json")))
        self._storage = JournalStorage(StoreJournal(store, study_key(definition.name, "journal"), replayed=True))
        pruner = make_pruner(definition.pruner, config.training.epochs)
        try:
            self._study = optuna.load_study(study_name=definition.name, storage=self._storage, pruner=pruner)
        except KeyError:  # none has begun it, unless another worker does now
            self._study = optuna.create_study(
                study_name=definition.name, storage=self._storage, pruner=pruner, load_if_exists=True
            )

    def trials(self) -> list[Trial]:
        """Return all trials, by number."""
        return [self._trial(one) for one in self._frozen().values()]

    def begin(self, number: int) -> Trial:
        """Return a trial, with its values chosen if no worker began it before."""
        known = self._frozen()
        if number not in known:
            parameters = propose(self._space, list(known.values()), seed=self._seed, number=number, first=self._first)
            template = create_trial(
                state=TrialState.RUNNING,
                params=parameters,
                distributions=distributions(self._space),
                user_attrs={_NUMBER: number, "run": self.definition.run_id(number)},
            )
            self._study.add_trial(template)  # one entry of the journal: a trial is there with its values, or not
        return self._trial(self._frozen()[number])

    def report(self, number: int, epoch: int, value: float) -> None:
        """Record the value of an epoch."""
        trial = self._frozen()[number]
        if not trial.state.is_finished() and trial.intermediate_values.get(epoch) != value:
            self._storage.set_trial_intermediate_value(trial._trial_id, epoch, value)  # noqa: SLF001 - Optuna's own key

    def is_hopeless(self, number: int) -> bool:
        """Return whether the pruner gives a trial up after its last report."""
        trial = self._frozen()[number]
        return bool(trial.intermediate_values) and self._study.pruner.prune(self._study, trial)

    def end(self, number: int, state: State, *, value: float | None = None, reason: str = "") -> None:
        """Record how a trial ended, unless another worker did."""
        trial = self._frozen()[number]
        if trial.state.is_finished():
            return
        if reason:
            self._storage.set_trial_user_attr(trial._trial_id, _REASON, reason)  # noqa: SLF001 - likewise
        ended = next(one for one, name in _STATES.items() if name == state)
        self._study.tell(trial.number, value, state=ended, skip_if_finished=True)

    def data(self, fingerprint: str) -> str:
        """Return the fingerprint of the data that the first finished trial was measured on, this one if it is first."""
        if _DATA not in self._study.user_attrs:
            self._study.set_user_attr(_DATA, fingerprint)
        return str(self._study.user_attrs[_DATA])

    def _frozen(self) -> dict[int, FrozenTrial]:
        """Return Optuna's trials by number; of two with one number, which a worker left that was silent, the first."""
        found: dict[int, FrozenTrial] = {}
        for one in self._study.get_trials(deepcopy=False):
            if _NUMBER in one.user_attrs:
                found.setdefault(one.user_attrs[_NUMBER], one)
        return dict(sorted(found.items()))

    def _trial(self, found: FrozenTrial) -> Trial:
        number = found.user_attrs[_NUMBER]
        steps = found.intermediate_values
        score = found.value if found.state == TrialState.COMPLETE else steps[max(steps)] if steps else None
        return Trial(
            number=number,
            values=values_of(self._space, found.params),
            state=_STATES[found.state],
            score=score,
            epochs=max(steps, default=0),
            reason=found.user_attrs.get(_REASON, ""),
            run_id=self.definition.run_id(number),
        )
