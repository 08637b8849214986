"""A study as data: settings that are compared, the properties each of them trains, and the run of every row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from phase2.config.assignments import Setting, parse_setting
from phase2.config.data.own_properties import PropertyDefinition
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import SOURCE_DIGEST
from phase2.config.settings import RUN_ID_VARIABLE, STORE_VARIABLE
from phase2.errors import UnknownNameError

SEEDS = (42, 43, 44)
"""Seeds of every row, unless the command line says otherwise."""
ANY_SOURCE = Setting(SOURCE_DIGEST, "0" * 64)
"""Stands for the content of the weights that a run starts from, which no declaration knows."""


@dataclass(frozen=True, slots=True)
class Variant:
    """Settings that a study compares with others.

    Attributes:
        name: Short name, part of the run ids.
        tries: What it tries, in one sentence.
        changes: Settings in which it differs from those of the study: ``training.optimizer=muon``.
        alone: Variant whose runs of one property it is compared with; None trains its own. Settings that only weigh
            properties against each other have nothing to weigh in such a run, and a row with the time of all runs
            alone is compared with these.
        epochs: Epochs of its runs; None for those of the study.
        source: Row whose runs are trained further, for each of their properties by itself (``muon/four``); None begins
            with random weights. It has the epochs of its own variant and the same seed.
    """

    name: str
    tries: str
    changes: tuple[str, ...] = ()
    alone: str | None = None
    epochs: int | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """A comparison of variants.

    Attributes:
        name: Short name, part of the run ids.
        question: What it asks, in one sentence.
        epochs: Epochs of every run, unless the command line says otherwise.
        settings: Settings of every run: all those of the network and of its training but the epochs, so that a default
            that changes later changes no row.
        targets: Properties that are trained together, by name; those with one property are the runs for comparison.
        variants: What is compared.
        data: Data set; None where the person who runs the study names a file with a published split.
        seen: Parts of that file that the runs may see.
        heldout: Part of that file that they are evaluated on.
        own: Definitions of those of the properties that are none of the nine.
        earlier: Variants that were trained before results were recorded; the page of the study has their figures.
    """

    name: str
    question: str
    epochs: int
    settings: tuple[str, ...]
    targets: Mapping[str, tuple[str, ...]]
    variants: tuple[Variant, ...]
    data: str | None = "sample"
    seen: tuple[str, ...] = ("train",)
    heldout: str = "test"
    own: tuple[PropertyDefinition, ...] = ()
    earlier: tuple[str, ...] = ()

    @property
    def heldout_name(self) -> str:
        """What the crystals that decide nothing are called: ``test``, or ``held-out`` those of a published split."""
        return "test" if self.data is not None else "held-out"

    @property
    def together(self) -> list[str]:
        """Names of the targets with several properties."""
        return [name for name, keys in self.targets.items() if len(keys) > 1]

    @property
    def alone(self) -> dict[str, str]:
        """Names of the targets with one property, by the property."""
        return {keys[0]: name for name, keys in self.targets.items() if len(keys) == 1}

    def variant(self, name: str) -> Variant:
        """Return the variant of a name.

        Raises:
            UnknownNameError: There is none.
        """
        found = {variant.name: variant for variant in self.variants}
        if name not in found:
            raise UnknownNameError.of("variant", name, found)
        return found[name]

    def rows(self, names: Sequence[str] = ()) -> list[Row]:
        """Return the rows of these variants (``muon``) or rows (``muon/four``); all of them for none.

        Raises:
            UnknownNameError: A name is neither.
        """
        rows = list(self._rows())
        valid = [name for row in rows for name in (row.variant.name, row.name)]
        for name in names:
            if name not in valid:
                raise UnknownNameError.of("row", name, dict.fromkeys(valid))
        return [row for row in rows if not names or {row.name, row.variant.name} & set(names)]

    def _rows(self) -> Iterator[Row]:
        for variant in self.variants:
            if variant.source is not None:
                shared = self.targets[variant.source.rpartition("/")[2]]
                yield from (Row(self, variant, self.alone[key]) for key in shared if key in self.alone)
                continue
            for target, keys in self.targets.items():
                if len(keys) > 1 or variant.alone is None:
                    yield Row(self, variant, target)

    def runs(
        self, names: Sequence[str], seeds: Sequence[int], *, data: str, epochs: int | None = None
    ) -> list[StudyRun]:
        """Return the runs of rows: all seeds of the first, then of the next.

        Args:
            names: As in :meth:`rows`.
            seeds: Seeds.
            data: What the runs are trained on.
            epochs: Epochs of every run, instead of those of the study and its variants.
        """
        return [
            StudyRun(row, seed, epochs or row.variant.epochs or self.epochs, data)
            for row in self.rows(names)
            for seed in seeds
        ]


@dataclass(frozen=True, slots=True)
class Row:
    """A variant that trains some properties: one run for each seed.

    Attributes:
        study: The study.
        variant: The settings.
        target: Name of the properties, among the targets of the study.
    """

    study: Study
    variant: Variant
    target: str

    @property
    def name(self) -> str:
        """``<variant>/<target>``."""
        return f"{self.variant.name}/{self.target}"

    @property
    def properties(self) -> tuple[str, ...]:
        """Keys of the properties."""
        return self.study.targets[self.target]

    @property
    def settings(self) -> tuple[Setting, ...]:
        """Settings of the study with the changes of the variant."""
        return tuple(parse_setting(text) for text in (*self.study.settings, *self.variant.changes))


@dataclass(frozen=True, slots=True)
class StudyRun:
    """The run of a row with one seed.

    Attributes:
        row: The row.
        seed: Seed of the run.
        epochs: Epochs of the run.
        data: Data set or path.
    """

    row: Row
    seed: int
    epochs: int
    data: str

    @property
    def run_id(self) -> str:
        """Id of the run, the same wherever and however often the study is started."""
        row = self.row
        return f"{row.study.name}-{row.variant.name}-{row.target}-e{self.epochs}-s{self.seed}"

    @property
    def source(self) -> StudyRun | None:
        """The run of several properties that this one starts from."""
        study, name = self.row.study, self.row.variant.source
        if name is None:
            return None
        (row,) = study.rows([name])
        return StudyRun(row, self.seed, row.variant.epochs or study.epochs, self.data)

    def request(self, output: Path = Path("models")) -> RunRequest:
        """Return the request of the run; one that starts from another names no content of its weights."""
        source = self.source
        return RunRequest(
            properties=self.row.properties,
            own_properties=tuple(one for one in self.row.study.own if one.key in self.row.properties),
            epochs=self.epochs,
            seed=self.seed,
            data=None if self.data == "sample" else self.data,
            output=output,
            from_=None if source is None else source.run_id,
            settings=self.row.settings if source is None else (*self.row.settings, ANY_SOURCE),
        )

    def words(self, store: str, output: Path) -> list[str]:
        """Return the words of the command that trains the run, from ``phase2`` on; it needs :meth:`variables`, too."""
        request = replace(self.request(output), settings=self.row.settings)
        return [*request.command(), "--no-baselines", "--store", store]

    def variables(self, store: str) -> dict[str, str]:
        """Return the variables of the command: its id and, for one that starts from another, where that is."""
        return {RUN_ID_VARIABLE: self.run_id} | ({} if self.source is None else {STORE_VARIABLE: store})
