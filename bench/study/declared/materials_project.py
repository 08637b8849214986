"""Sharing on a person's copy of the Materials Project, with a published split."""

from __future__ import annotations

from bench.study.declared.sharing import (
    ATOMS,
    DEFAULT,
    FEED,
    MEDIUM,
    MUON,
    PAIRS,
    PARTS,
    PER_VOLUME,
    SETTINGS,
    WITH_READOUT,
)
from bench.study.rows import Study, Variant
from phase2.properties import CORE

SIX = (*CORE, "dielectric", "ehull")
"""Properties of which the file has labels; 1,415 training crystals have a dielectric constant."""

LARGER = (*DEFAULT, PAIRS, FEED, "model.layers=3")

MATERIALS_PROJECT = Study(
    name="materials-project",
    question="Does what holds on the sample hold on 28,000 crystals?",
    epochs=24,
    # The published training part is all that a run sees: it takes its own validation and test parts from that.
    settings=(*SETTINGS, "data.fractions=[0.9,0.05,0.05]"),
    targets={key: (key,) for key in SIX} | {"four": CORE, "six": SIX},
    earlier=("readout", "atoms", "feed-forward"),
    variants=(
        Variant("adamw", "Version 0.1.0: AdamW, a mean over the labels of each batch, learned uncertainty weights."),
        Variant(
            "exponent-0.5", "Properties weigh as the root of their labels.", ("training.label_exponent=0.5",), "adamw"
        ),
        Variant("muon", "Hidden layers trained by Muon.", (MUON,)),
        Variant(
            "muon-exponent-0.5", "Muon, and the root of the labels.", (MUON, "training.label_exponent=0.5"), "muon"
        ),
        Variant("readout", "The same, and heads that read products and every layer.", WITH_READOUT),
        PER_VOLUME,
        Variant(
            "atoms",
            "As readout, and heads that read a layer on each atom.",
            (MUON, "training.label_exponent=0.5", *ATOMS),
        ),
        *PARTS,
        Variant(
            "deep",
            "As volume-feed-forward, with twice the channels and three layers.",
            (*LARGER, "model.channels=[128,64]"),
        ),
        Variant(
            "degree-2",
            "As volume-feed-forward, with features of degree 2 and three layers.",
            (*LARGER, "model.channels=[64,32,16]"),
        ),
        Variant(
            "medium",
            "The default with the network of the level std, batches of 64 and a rate of 3e-3.",
            (*DEFAULT, *MEDIUM, "training.batch_size=64", "training.lr=3e-3"),
        ),
        Variant("muon-wide", "Muon, and twice the channels.", (MUON, "model.channels=[128,64]")),
    ),
    data=None,
    heldout="val",
)
