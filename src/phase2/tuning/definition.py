"""Definition of a study: what is searched, for what, and how (``.studies/<name>/study.json``); never changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Self, TypeVar, get_args

from pydantic import AwareDatetime

from phase2 import __version__
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.config.search.space import SearchSpace
from phase2.errors import ModelFileError, RequestError, UnknownNameError
from phase2.storage.base import ObjectExistsError, ObjectMissingError, Store
from phase2.storage.records import Record, parse_record
from phase2.tuning.keys import check_study_name, study_key, unknown_study

SCORE = "score"
PrunerName = Literal["median", "hyperband", "none"]
PRUNERS: tuple[PrunerName, ...] = get_args(PrunerName)
_EPOCHS = "training.epochs"
_Definition = TypeVar("_Definition", bound="StudyDefinition")


class StudyDefinition(Record):
    """What a study is. Workers of one name in one store share it, whoever wrote it first.

    Attributes:
        name: Its name; the runs of its trials are ``<name>-0``, ``<name>-1`` and so on.
        command: Command of the run that all trials share, without what they vary.
        space: Searched settings, as ``--over`` takes them.
        minimise: ``score``, or the property whose validation MAE (log loss, if it is binary) is minimised.
        pruner: Rule by which hopeless trials are stopped.
        trials: Number of trials that was asked for first.
        version: Version of phase2 that defined it.
        created: When it was defined.
    """

    schema_version: Literal[1] = 1
    name: str
    command: tuple[str, ...]
    space: tuple[str, ...]
    minimise: str = SCORE
    pruner: PrunerName = "median"
    trials: int
    version: str = __version__
    created: AwareDatetime

    @classmethod
    def of(cls, name: str, request: RunRequest, space: SearchSpace, *, minimise: str, pruner: str, trials: int) -> Self:
        """Define a study.

        Raises:
            RequestError: The request gives a searched setting as well, or is fixed, or does not train what is
                minimised; or the pruner does not go with the space.
            UnknownNameError: There is no such pruner.
        """
        check_study_name(name)
        space.check(request)
        chosen = next((one for one in PRUNERS if one == pruner), None)
        if chosen is None:
            raise UnknownNameError.of("pruner", pruner, PRUNERS)
        _check_measure(minimise, request)
        if chosen != "none" and any(one.path == _EPOCHS for one in space.dimensions):
            raise RequestError(
                f"--over {_EPOCHS} needs --pruner none.",
                why="The pruner compares trials at the same epoch, where those with fewer epochs are further on.",
                fix="Add --pruner none, or give all trials the same --epochs.",
            )
        return cls(
            name=name,
            command=tuple(replace(request, output=RunRequest().output).command()),
            space=space.texts,
            minimise=minimise,
            pruner=chosen,
            trials=trials,
            created=datetime.now(UTC),
        )

    @classmethod
    def load(cls, store: Store, name: str) -> Self:
        """Read the definition of a study.

        Raises:
            RequestError: There is no such study; the nearest name is offered.
            ModelFileError: The definition is damaged.
        """
        key = study_key(check_study_name(name), "study.json")
        try:
            return _checked(parse_record(store.read(key), cls, where=key), name, key)
        except ObjectMissingError:
            raise unknown_study(store, name) from None

    def save(self, store: Store) -> Self:
        """Store the definition, or return that of another worker, which was first.

        Raises:
            RequestError: The study of this name is another one; the differences are listed.
        """
        try:
            store.put(study_key(self.name, "study.json"), self.model_dump_json(indent=2).encode(), if_absent=True)
        except ObjectExistsError:
            first = type(self).load(store, self.name)
            if differences := list(_differences(first, self)):
                raise RequestError(
                    f"The study '{self.name}' exists with another definition.",
                    why=f"{'; '.join(differences)}.",
                    fix=f"Continue it with 'phase2 tune --name {self.name}' alone, or give another --name.",
                ) from None
            return first
        return self

    @property
    def request(self) -> RunRequest:
        """Request that all trials share."""
        return RunRequest.from_command(self.command)

    @property
    def search_space(self) -> SearchSpace:
        """Searched settings."""
        return SearchSpace.parse(self.space, self.request.profile.algorithm)

    @property
    def measure(self) -> str:
        """What is minimised, in words."""
        if self.minimise == SCORE:
            return "val score"
        is_binary = resolve(self.request).config.get_property(self.minimise).task == "binary"
        return f"val {'log loss' if is_binary else 'MAE'} of {self.minimise}"

    def trial_request(self, values: dict[str, object], output: Path) -> RunRequest:
        """Return the request of a trial with these values by path."""
        return replace(self.search_space.request(self.request, values), output=output)

    def run_id(self, number: int) -> str:
        """Return the run id of a trial."""
        return f"{self.name}-{number}"


def _checked(found: _Definition, name: str, key: str) -> _Definition:
    """Return a definition, if it is of the study that its key names, and one that phase2 can have written."""
    try:
        if found.name != name:
            raise RequestError(f"It is of the study {found.name!r}.")
        found.search_space.check(found.request)
        _check_measure(found.minimise, found.request)
    except RequestError as error:
        fix = "Start a study of another --name; nobody changes a definition."
        raise ModelFileError(f"{key} is damaged.", why=str(error), fix=fix) from error
    return found


def _check_measure(minimise: str, request: RunRequest) -> None:
    trained = resolve(request).config.properties
    if minimise not in (SCORE, *trained):
        raise UnknownNameError.of("measure", minimise, (SCORE, *trained))


def _differences(first: StudyDefinition, other: StudyDefinition) -> Iterator[str]:
    words = {"command": " ".join, "space": ", ".join, "minimise": str, "pruner": str}
    for name, text in words.items():
        was, asked = getattr(first, name), getattr(other, name)
        if was != asked:
            yield f"{name}: it has {text(was)}, asked for is {text(asked)}"  # type: ignore[operator]
