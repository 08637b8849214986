"""All properties that a data set has, alone and together, on a person's part of JARVIS-DFT."""

from __future__ import annotations

from bench.study.declared.sharing import DEFAULT, SETTINGS
from bench.study.rows import Study, Variant

EIGHT = (
    "formation_energy",
    "band_gap",
    "bulk_modulus",
    "shear_modulus",
    "band_gap_mbj",
    "dielectric",
    "spillage",
    "ehull",
)
"""Properties of which the file has labels; of the piezoelectric constant it has none."""

JARVIS_DFT = Study(
    name="jarvis-dft",
    question="What does sharing cost or gain with all properties that real data has?",
    epochs=20,
    # Few crystals have a spillage, so that the runs' own validation part is a tenth of what they see.
    settings=(*SETTINGS, *DEFAULT, "data.fractions=[0.85,0.1,0.05]"),
    targets={key: (key,) for key in EIGHT} | {"eight": EIGHT},
    variants=(
        Variant("default", "The default, as in the study of sharing."),
        Variant("epochs-100", "The same with five times the epochs.", epochs=100),
    ),
    data=None,
    heldout="val",
)
