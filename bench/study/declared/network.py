"""What the network itself gains by what its heads read."""

from __future__ import annotations

from bench.study.declared.sharing import ATOMS, READOUT, SETTINGS
from bench.study.rows import Study, Variant
from phase2.properties import CORE

NETWORK = Study(
    name="network",
    question="What does the equivariant network gain by a change of its architecture?",
    epochs=20,
    settings=(
        *SETTINGS,
        "training.optimizer=muon",
        "training.label_exponent=0.5",
    ),
    targets={key: (key,) for key in ("formation_energy", "band_gap")} | {"four": CORE},
    earlier=("plain", "second-order", "all-layers", "both", "atoms"),
    variants=(
        Variant("plain", "Heads read the scalars and norms of the last layer."),
        Variant("second-order", "Heads also read inner products of learned pairs.", ("model.second_order=16",)),
        Variant("all-layers", "Heads read every layer.", ("model.readout_layers=all",)),
        Variant("both", "Heads read both, of every layer.", READOUT),
        Variant("atoms", "Heads also read a layer on the invariants of each atom.", ATOMS),
    ),
)
