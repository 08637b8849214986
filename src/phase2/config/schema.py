"""The complete, frozen description of a run: everything that decides its numbers, and nothing else."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from phase2.config.bounds import LONGEST_ADDRESS, MOST_COUNTED, MOST_RATE
from phase2.config.data.own_properties import PropertyDefinition
from phase2.config.data.splits import COMPOSITION, LONGEST, RANDOM, parse_split
from phase2.config.frozen import Frozen
from phase2.config.levels import Algorithm, Backend, Mode, Preset
from phase2.config.limits import DEFAULT_LIMITS, ReadingLimits
from phase2.properties import KEYS, MOST_PROPERTIES, PROPERTIES, Density, Property, get_property, times_volume

# Upper bounds leave room for whatever can be trained: a file of a run is refused before memory is taken for more.
Count = Annotated[int, Field(ge=1, le=MOST_COUNTED)]
Address = Annotated[str, Field(min_length=1, max_length=LONGEST_ADDRESS)]
Width = Annotated[int, Field(ge=1, le=8192)]
Depth = Annotated[int, Field(ge=1, le=64)]
Share = Annotated[float, Field(gt=0, le=1e6)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]


class GraphSpec(Frozen):
    """Construction of a crystal's graph.

    Attributes:
        cutoff: Longest edge, angstrom.
        neighbors: Nearest neighbours kept per atom; the shell of the last one is kept whole.
    """

    cutoff: float = Field(default=5.0, gt=0, le=20)
    neighbors: int = Field(default=12, ge=1, le=200)


def _are_defaults(limits: object) -> bool:
    return limits == DEFAULT_LIMITS


def _is_empty(value: object) -> bool:
    return value == ()


def _is_none(value: object) -> bool:
    return value is None


def _is_false(value: object) -> bool:
    return value is False


def _known_split(text: str) -> str:
    return parse_split(text).text


def _in_order(keys: tuple[Density, ...]) -> tuple[Density, ...]:
    return tuple(sorted(set(keys), key=KEYS.index))


SplitText = Annotated[str, Field(min_length=1, max_length=LONGEST), AfterValidator(_known_split)]


class DataConfig(Frozen):
    """Selection, graphs and split of the crystals.

    Attributes:
        source: Name of a data set (``sample``, ``jarvis-dft3d``), a path, ``s3://bucket/path``, or the content of a
            pushed data set, ``sha256:...``.
        max_samples: Crystals used, all parts together; None for all.
        graph: Construction of a crystal's graph.
        split_seed: Seed of the split into train, validation and test.
        fractions: Sizes of train, validation and test, relative to each other.
        group_by: ``composition`` keeps all crystals of one reduced formula in one part, as the split of this name.
        split: How crystals are divided: ``chemsys``, ``element:Li``, ``kfold:5/1`` and the like; null is at random, or
            what ``group_by`` says. Left out of the JSON, and of the digest, where it is null.
        drop_twins: Leave out validation and test crystals with a twin or near-twin in the training part; left out
            likewise.
        limits: Limits of reading files and records; left out of the JSON, and of the digest, where none is changed.
        own_properties: Properties that the run defines, besides the nine; left out likewise where there are none.
        per_volume: Properties of the nine that are learned as their value times the volume per atom.
    """

    source: Address = "sample"
    max_samples: Count | None = None
    graph: GraphSpec = GraphSpec()
    split_seed: Seed = 42
    fractions: tuple[Share, Share, Share] = (0.8, 0.1, 0.1)
    group_by: Literal["none", "composition"] = "none"
    split: SplitText | None = Field(default=None, exclude_if=_is_none)
    drop_twins: bool = Field(default=False, exclude_if=_is_false)
    limits: ReadingLimits = Field(default=DEFAULT_LIMITS, exclude_if=_are_defaults)
    own_properties: tuple[PropertyDefinition, ...] = Field(
        default=(), max_length=MOST_PROPERTIES - len(KEYS), exclude_if=_is_empty
    )
    per_volume: Annotated[tuple[Density, ...], AfterValidator(_in_order)] = ()

    @model_validator(mode="after")
    def _check_keys(self) -> Self:
        keys = [p.key for p in self.properties]
        if len(set(keys)) != len(keys):
            raise ValueError("two properties have the same key")
        return self

    @property
    def own(self) -> tuple[Property, ...]:
        """The properties that the run defines."""
        return tuple(definition.as_property() for definition in self.own_properties)

    @property
    def properties(self) -> tuple[Property, ...]:
        """The properties whose labels are read: the nine, and those that the run defines."""
        return (*PROPERTIES, *self.own)

    def as_learned(self, prop: Property) -> Property:
        """Return a property as it is learned, which says the same of what is read and predicted."""
        return times_volume(prop) if prop.key in self.per_volume else prop

    @property
    def split_name(self) -> str:
        """Name of the split, whichever setting says it."""
        return self.split or (COMPOSITION if self.group_by == "composition" else RANDOM)


class CgcnnConfig(Frozen):
    """Crystal graph convolutional network (Xie & Grossman, Phys. Rev. Lett. 120, 145301, 2018).

    Attributes:
        preset: Name of the width and depth.
        width: Features per atom.
        convolutions: Number of convolutions.
        gaussians: Functions in the distance expansion.
        trunk: Width of the shared layer behind the pooling.
    """

    kind: Literal["cgcnn"] = "cgcnn"
    preset: Preset
    width: Width
    convolutions: Depth
    gaussians: int = Field(default=41, ge=2, le=4096)
    trunk: Width = 128


class EquivariantConfig(Frozen):
    """E(3)-equivariant message passing (Batzner et al., Nat. Commun. 13, 2453, 2022), pooled over the crystal.

    Attributes:
        size: Name of the channels and layers.
        channels: Multiplicity of the features of degree l = 0, 1, ...
        layers: Number of interaction layers.
        radial_basis: Bessel functions of the distance.
        radial_hidden: Width of the radial network.
        envelope: Power of the polynomial cutoff.
        trunk: Width of the shared layer behind the pooling.
        second_order: Inner products of learned pairs of features that the heads read, for each degree l > 0.
        readout_layers: Layers whose scalars and norms the heads read: the ``last``, or ``all`` and the elements.
        atom_hidden: Width of a layer on the invariants of each atom, which the heads read beside them; 0 for none.
        element_pairs: Whether the radial functions of a bond depend on the elements of its two atoms.
        feed_forward: Whether each interaction layer ends in a gated network of two layers on the features of each atom.
    """

    kind: Literal["e3nn"] = "e3nn"
    size: Preset
    channels: tuple[Width, ...] = Field(min_length=1, max_length=5)
    layers: Depth
    radial_basis: int = Field(default=8, ge=1, le=1024)
    radial_hidden: Width = 64
    envelope: int = Field(default=6, ge=2, le=64)
    trunk: Width = 128
    second_order: int = Field(default=0, ge=0, le=512)
    readout_layers: Literal["last", "all"] = "last"
    atom_hidden: int = Field(default=0, ge=0, le=8192)
    element_pairs: bool = False
    feed_forward: bool = False


ModelConfig = Annotated[CgcnnConfig | EquivariantConfig, Field(discriminator="kind")]

CGCNN_PRESETS: dict[Preset, CgcnnConfig] = {
    "small": CgcnnConfig(preset="small", width=64, convolutions=2),
    "medium": CgcnnConfig(preset="medium", width=128, convolutions=3),
    "large": CgcnnConfig(preset="large", width=256, convolutions=5),
}

EQUIVARIANT_SIZES: dict[Preset, EquivariantConfig] = {
    "small": EquivariantConfig(size="small", channels=(64, 32), layers=2, second_order=16, readout_layers="all"),
    "medium": EquivariantConfig(size="medium", channels=(128, 64, 32), layers=3, second_order=16, readout_layers="all"),
    "large": EquivariantConfig(size="large", channels=(128, 64, 32), layers=4, second_order=16, readout_layers="all"),
}


class TrainingConfig(Frozen):
    """Optimisation of the network.

    Attributes:
        epochs: Passes over the training set.
        batch_size: Crystals per step.
        lr: Peak learning rate of AdamW.
        weight_decay: Decoupled weight decay.
        warmup: Fraction of all steps in which the learning rate rises; a cosine to zero follows.
        clip_norm: Largest gradient norm.
        ema_decay: Decay of the averaged weights that are evaluated and kept.
        loss: Loss of one label, in normalised units.
        balance: How the properties' losses are weighed.
        label_exponent: Weight of a property before balancing: its number of training labels to this power. Each of its
            labels weighs the same in every batch; with null its loss is the mean over the labels of each batch.
        optimizer: ``adamw`` or ``muon``, which orthogonalises the steps of the hidden layers.
        precision: Arithmetic of the forward pass, ``fp32`` or ``bf16`` (products of matrices alone).
        patience: Epochs without a better validation score before the run stops early; None never stops.
        padding_buckets: Most sizes of atoms, bonds and edges that batches are padded to, with rows that change
            nothing; null does not pad. Left out of the JSON, and of the digest, where it is null.
    """

    epochs: Count
    batch_size: Count
    lr: float = Field(gt=0, le=MOST_RATE)
    weight_decay: float = Field(default=1e-2, ge=0, le=1e3)
    warmup: float = Field(default=0.05, ge=0, lt=1)
    clip_norm: float = Field(default=10.0, gt=0, le=1e12)
    ema_decay: float = Field(default=0.999, ge=0, lt=1)
    loss: Literal["huber", "l1"] = "l1"
    balance: Literal["equal", "uncertainty", "famo"] = "uncertainty"
    label_exponent: float | None = Field(default=None, ge=0, le=1)
    optimizer: Literal["adamw", "muon"] = "adamw"
    precision: Literal["fp32", "bf16"] = "fp32"
    patience: Count | None = None
    padding_buckets: Annotated[int, Field(ge=1, le=64)] | None = Field(default=None, exclude_if=_is_none)


TRAINING_DEFAULTS: dict[Algorithm, dict[str, object]] = {
    "cgcnn": {},
    "e3nn": {"optimizer": "muon", "label_exponent": 0.5},
}
"""Defaults of an algorithm that differ from those of the fields, with which version 0.1.0 computed."""


PER_VOLUME: dict[Algorithm, tuple[Density, ...]] = {
    "cgcnn": (),
    "e3nn": ("bulk_modulus", "shear_modulus", "dielectric"),
}
"""Properties of which an algorithm learns the value times the volume per atom, unless they are given."""


class FineTuningConfig(Frozen):
    """Start from the weights of a trained model instead of random ones.

    Attributes:
        source: Run or model file that is trained further: an address, or a path.
        sha256: SHA-256 of that model file, hexadecimal; found when the request is made.
        freeze: ``backbone`` trains the heads alone, ``none`` everything.
        new_heads: Begin with untrained heads also for properties that the source predicts.
        backbone_lr: Learning rate of the backbone relative to that of the heads.
        unfreeze_epoch: Epoch from which the backbone is trained, counted from 1; before, only the heads are.
    """

    source: Address
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    freeze: Literal["backbone", "none"] = "none"
    new_heads: bool = False
    backbone_lr: float = Field(default=1.0, gt=0, le=1)
    unfreeze_epoch: Count = 1


class FoundationConfig(Frozen):
    """Frozen features of a pretrained potential.

    Attributes:
        name: The potential.
        use: ``beside`` reads them beside what the run's own network computes, ``alone`` instead of it.
        width: Channels that they are projected to.
    """

    name: Literal["sevennet-0", "sevennet-l3i5", "chgnet"]
    use: Literal["beside", "alone"] = "beside"
    width: Width = 128


class RunConfig(Frozen):
    """Resolved configuration of a run: equal ones give equal numbers on equal machines.

    Attributes:
        algorithm: Kind of the network.
        mode: The level, or ``competition``.
        backend: The manual's script that runs this row of the levels table.
        family: Folder of the run below the output folder.
        properties: Keys of the properties asked for.
        all_properties: All nine were asked for; those without a label are left out.
        seed: Seed of the weights, the batches and every other random draw but the split's.
        data: Selection, graphs and split of the crystals.
        model: The network.
        training: Optimisation of the network.
        foundation: Features of a pretrained potential; left out of the JSON, and of the digest, where there are none.
        fine_tuning: Start from a trained model; left out likewise.
    """

    algorithm: Algorithm
    mode: Mode
    backend: Backend
    family: str = Field(max_length=200)
    properties: tuple[str, ...] = Field(min_length=1, max_length=MOST_PROPERTIES)
    all_properties: bool
    seed: Seed
    data: DataConfig
    model: ModelConfig
    training: TrainingConfig
    foundation: FoundationConfig | None = Field(default=None, exclude_if=_is_none)
    fine_tuning: FineTuningConfig | None = Field(default=None, exclude_if=_is_none)

    def get_property(self, key: str) -> Property:
        """Return the property with a key, as it is learned: one of the nine, or one that the run defines.

        Raises:
            UnknownNameError: No property has this key.
        """
        return self.data.as_learned(get_property(key, self.data.own))
