"""Errors against the number of training crystals: one property, four together, and with a pretrained potential."""

from __future__ import annotations

from bench.study.declared.sharing import DEFAULT, SETTINGS
from bench.study.rows import Study, Variant
from phase2.properties import CORE

SIZES: dict[str, tuple[int | None, int]] = {
    "500": (556, 400),
    "2000": (2222, 160),
    "8000": (8889, 60),
    "all": (None, 24),
}
"""Crystals of all three parts, of which nine tenths train, and epochs, by the number of training crystals."""

BACKBONE = "foundation.name=sevennet-0"


def _variants() -> list[Variant]:
    found = []
    for size, (crystals, epochs) in SIZES.items():
        used = () if crystals is None else (f"data.max_samples={crystals}",)
        found.append(Variant(size, f"Training crystals: {size}.", used, epochs=epochs))
    for plain in tuple(found):
        tries = f"{plain.tries[:-1]}, with features of SevenNet-0, which has seen these energies."
        found.append(Variant(f"{plain.name}-sevennet", tries, (*plain.changes, BACKBONE), epochs=plain.epochs))
    return found


LEARNING_CURVE = Study(
    name="learning-curve",
    question="How do errors fall with the number of training crystals?",
    epochs=24,
    settings=(
        *SETTINGS,
        *DEFAULT,
        "data.fractions=[0.9,0.05,0.05]",
    ),
    targets={key: (key,) for key in CORE} | {"four": CORE},
    variants=tuple(_variants()),
    data=None,
    heldout="val",
)
