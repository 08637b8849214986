"""Lineage of a run: the trained models that its weights started from, and what it took over from them."""

from __future__ import annotations

from phase2.storage.records import Counted, Record


class Ancestor(Record):
    """A trained model whose weights a run started from.

    Attributes:
        run_id: Run that trained it.
        address: Where its file was found: an address of a store, or a path.
        sha256: SHA-256 of the model file.
        epoch: Epoch of its weights, counted from 1.
        properties: Properties that it predicts.
        data: Data set that it was trained on.
        data_fingerprint: SHA-256 of its crystals, labels and split; null where its manifest was not beside it.
        same_split: Whether its data set and the split of it have the same settings as the run's: crystals that are held
            out from the run were held out from the ancestor then, too.
    """

    run_id: str
    address: str
    sha256: str
    epoch: Counted
    properties: tuple[str, ...]
    data: str
    data_fingerprint: str | None = None
    same_split: bool = False

    def phrase(self) -> str:
        """Return what the model is, as part of a sentence."""
        keys = ", ".join(self.properties)
        return f"run {self.run_id} ({keys}; {self.data}; epoch {self.epoch}; SHA-256 {self.sha256[:12]})"


class Normalisation(Record):
    """Mean and standard deviation by which a property is normalised, of its transformed labels.

    Attributes:
        mean: The mean.
        std: The standard deviation.
    """

    mean: float
    std: float


class Lineage(Record):
    """What a run started from.

    Attributes:
        source: The model whose weights the run started from.
        ancestors: What that model had started from, the nearest first.
        kept: Properties whose heads and normalisation were taken over.
        new: Requested properties whose heads began untrained.
        normalisation: Normalisation of the kept properties.
        mean_neighbors: Edges per atom that normalise sums over neighbours, those of the source's training crystals.
        species: Atomic numbers that occur in the training crystals of the source and of its ancestors, ascending.
    """

    source: Ancestor
    ancestors: tuple[Ancestor, ...] = ()
    kept: tuple[str, ...]
    new: tuple[str, ...]
    normalisation: dict[str, Normalisation]
    mean_neighbors: float
    species: tuple[Counted, ...]

    def sentence(self) -> str:
        """Describe the whole chain in one sentence."""
        chain = ", which had started from ".join(one.phrase() for one in (self.source, *self.ancestors))
        heads = ", ".join(self.kept) or "none"
        return f"Its weights started from those of {chain}. Heads taken over: {heads}."

    def caveats(self) -> list[str]:
        """Return what the chain means for the errors on the test part."""
        mixed = [one.run_id for one in (self.source, *self.ancestors) if not one.same_split]
        if not mixed:
            return []
        return [
            f"The weights it started from (run {', '.join(mixed)}) were fitted to another data set or another split: "
            "crystals of this test part may have been training crystals there, which makes the errors above too small."
        ]
