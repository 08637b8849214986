"""What a property costs or gains when others share its network: weights, optimiser, decay, width, batch."""

from __future__ import annotations

from collections.abc import Iterator

from bench.study.rows import Study, Variant
from phase2.properties import CORE

SEVEN = (*CORE, "dielectric", "piezoelectric", "ehull")
"""Properties of the embedded sample."""

NETWORK_SETTINGS = (
    "model.size=small",
    "model.channels=[64,32]",
    "model.layers=2",
    "model.radial_basis=8",
    "model.radial_hidden=64",
    "model.envelope=6",
    "model.trunk=128",
    "model.second_order=0",
    "model.readout_layers=last",
    "model.atom_hidden=0",
    "model.element_pairs=false",
    "model.feed_forward=false",
)
TRAINING_SETTINGS = (
    "training.batch_size=32",
    "training.lr=5e-3",
    "training.weight_decay=0.01",
    "training.warmup=0.05",
    "training.clip_norm=10.0",
    "training.ema_decay=0.999",
    "training.loss=l1",
    "training.balance=uncertainty",
    "training.label_exponent=null",
    "training.optimizer=adamw",
    "training.precision=fp32",
    "training.padding_buckets=null",
    "training.patience=null",
)
AS_READ = "data.per_volume=[]"
SETTINGS = (*NETWORK_SETTINGS, *TRAINING_SETTINGS, AS_READ)
"""Every setting of the network and of its training but the epochs, as in version 0.1.0 with the smallest network."""

MUON = "training.optimizer=muon"
DECAY = "training.weight_decay=0.1"
WIDE = "model.channels=[128,64]"
BATCH = "training.batch_size=128"
READOUT = ("model.second_order=16", "model.readout_layers=all")
PAIRS = "model.element_pairs=true"
FEED = "model.feed_forward=true"
MEDIUM = ("model.size=medium", "model.channels=[128,64,32]", "model.layers=3")
"""Channels and layers of the network of the level std."""
DEGREE_2 = ("model.channels=[64,32,16]", "model.layers=3")
ATOMS = (*READOUT, "model.atom_hidden=128")


def _exponent(value: float) -> str:
    return f"training.label_exponent={value}"


WITH_READOUT = (MUON, _exponent(0.5), *READOUT)
"""What the row ``readout`` changes in the settings of version 0.1.0."""
DEFAULT = (*WITH_READOUT, "data.per_volume=[bulk_modulus,shear_modulus,dielectric]")
"""What the default changes."""
PER_VOLUME = Variant(
    "per-volume", "As readout, and moduli and dielectric constants learned per atom: the default.", DEFAULT
)
FEED_FORWARD = Variant(
    "feed-forward",
    "As readout, with element pairs and a feed-forward block in each layer.",
    (*WITH_READOUT, PAIRS, FEED),
)
PARTS = (
    Variant("pairs", "As readout, with radial functions of each pair of elements.", (*WITH_READOUT, PAIRS)),
    FEED_FORWARD,
    Variant(
        "volume-feed-forward",
        "The default, with element pairs and a feed-forward block in each layer.",
        (*DEFAULT, PAIRS, FEED),
    ),
)
"""Parts that can be added to the network."""


def _fine_tuned(source: str, changes: tuple[str, ...]) -> Iterator[Variant]:
    """Yield variants that train each property further from the runs of several, as ``--also-fine-tuned`` does."""
    prefix = "" if source == PER_VOLUME.name else f"{source}-"
    for target in ("four", "seven"):
        yield Variant(
            f"{prefix}fine-tuned-{target}",
            f"Each property further from the run of {target} of `{source}`.",
            (*changes, "training.lr=1e-3"),
            alone=source,
            epochs=8,
            source=f"{source}/{target}",
        )


SHARING = Study(
    name="sharing",
    question="What does a property cost or gain when others share its network?",
    epochs=20,
    settings=SETTINGS,
    targets={key: (key,) for key in SEVEN} | {"four": CORE, "seven": SEVEN},
    earlier=("adamw", "exponent-0.5", "muon", "muon-exponent-0.5", "readout", "atoms"),
    variants=(
        Variant("adamw", "Version 0.1.0: AdamW, a mean over the labels of each batch, learned uncertainty weights."),
        Variant("exponent-0.5", "Properties weigh as the root of their labels.", (_exponent(0.5),), "adamw"),
        Variant("exponent-0.75", "Properties weigh as their labels to the power 3/4.", (_exponent(0.75),), "adamw"),
        Variant("exponent-1", "Every label weighs the same.", (_exponent(1),), "adamw"),
        Variant("equal", "Properties weigh the same, without learned weights.", ("training.balance=equal",), "adamw"),
        Variant("famo", "All losses shrink at the same rate (FAMO).", ("training.balance=famo",), "adamw"),
        Variant("decay", "Ten times the weight decay.", (DECAY,)),
        Variant("wide", "Twice the channels.", (WIDE,)),
        Variant("batch-128", "Four times the batch, at the same rate.", (BATCH,)),
        Variant("muon", "Hidden layers trained by Muon.", (MUON,)),
        Variant("muon-exponent-0.5", "Muon, and the root of the labels.", (MUON, _exponent(0.5)), "muon"),
        Variant("muon-exponent-0.75", "Muon, and the labels to the power 3/4.", (MUON, _exponent(0.75)), "muon"),
        Variant("muon-exponent-1", "Muon, and every label the same weight.", (MUON, _exponent(1)), "muon"),
        Variant("muon-equal", "Muon, without learned weights.", (MUON, "training.balance=equal"), "muon"),
        Variant("muon-famo", "Muon, and FAMO.", (MUON, "training.balance=famo"), "muon"),
        Variant(
            "readout",
            "Muon, the root of the labels, and heads that read products and every layer.",
            WITH_READOUT,
        ),
        PER_VOLUME,
        Variant("epochs-26", "The default with the steps of the four runs alone together.", DEFAULT, "per-volume", 26),
        Variant("epochs-42", "The default with the steps of the seven runs alone together.", DEFAULT, "per-volume", 42),
        Variant(
            "sevennet",
            "The default, with features of SevenNet-0, which has seen the energies.",
            (*DEFAULT, "foundation.name=sevennet-0"),
        ),
        Variant(
            "degree-2",
            "The default, with features of degree 2 and three layers.",
            (*DEFAULT, *DEGREE_2),
        ),
        Variant("degree-2-3e-3", "The same at a rate of 3e-3.", (*DEFAULT, *DEGREE_2, "training.lr=3e-3")),
        Variant(
            "degree-2-3e-3-26",
            "The same with the steps of the four runs alone together.",
            (*DEFAULT, *DEGREE_2, "training.lr=3e-3"),
            "degree-2-3e-3",
            epochs=26,
        ),
        *_fine_tuned("per-volume", DEFAULT),
        *_fine_tuned("degree-2", (*DEFAULT, *DEGREE_2)),
        Variant("medium", "The default, with channels and layers of the level std.", (*DEFAULT, *MEDIUM)),
        Variant(
            "medium-3e-3",
            "The same at a rate of 3e-3.",
            (*DEFAULT, *MEDIUM, "training.lr=3e-3"),
        ),
        Variant("atoms", "As readout, and heads that read a layer on each atom.", (MUON, _exponent(0.5), *ATOMS)),
        *PARTS,
        Variant("muon-decay", "Muon, and ten times the weight decay.", (MUON, DECAY)),
        Variant("muon-wide", "Muon, and twice the channels.", (MUON, WIDE)),
        Variant("muon-batch-128", "Muon, and four times the batch.", (MUON, BATCH)),
    ),
)
