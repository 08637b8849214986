"""The levels table against the operation manual, number by number."""

import pytest

from phase2.config.levels import ALGORITHMS, MODES, PROFILES, profile
from phase2.config.schema import CGCNN_PRESETS
from phase2.errors import UnknownNameError

# algorithm, mode, backend, epochs, batch, lr, max_samples, preset; None where the manual leaves the choice open.
MANUAL = [
    ("e3nn", "smoke", "train_multitask_std", 5, 8, 2e-3, 512, None),
    ("e3nn", "lite", "train_multitask_lite", 2, None, None, 96, None),
    ("e3nn", "std", "train_multitask_std", 100, 16, 1e-3, None, None),
    ("e3nn", "pro", "train_multitask_pro", 500, 4, 5e-4, None, None),
    ("e3nn", "max", "train_multitask_pro", 800, 4, 3e-4, None, None),
    ("e3nn", "competition", "train_multitask_pro", 260, 6, 4.5e-4, None, None),
    ("cgcnn", "smoke", "train_multitask_cgcnn", 5, 64, None, 800, "small"),
    ("cgcnn", "lite", "train_multitask_cgcnn", 40, 96, None, 3000, "small"),
    ("cgcnn", "std", "train_multitask_cgcnn", 200, 128, None, None, "medium"),
    ("cgcnn", "pro", "train_multitask_cgcnn", 300, 128, None, None, "large"),
    ("cgcnn", "max", "train_multitask_cgcnn", 500, 160, 7e-4, None, "large"),
    ("cgcnn", "competition", "train_multitask_cgcnn", 280, 128, 9e-4, None, "medium"),
]


def test_every_algorithm_has_every_mode():
    assert set(PROFILES) == {(a, m) for a in ALGORITHMS for m in MODES}
    assert len(MANUAL) == len(PROFILES)


@pytest.mark.parametrize(("algorithm", "mode", "backend", "epochs", "batch", "lr", "samples", "preset"), MANUAL)
def test_numbers_are_the_manuals(algorithm, mode, backend, epochs, batch, lr, samples, preset):
    row = profile(algorithm, mode)
    assert (row.backend, row.epochs, row.max_samples) == (backend, epochs, samples)
    assert batch is None or row.batch_size == batch
    assert lr is None or row.lr == lr
    assert preset is None or row.size == preset
    assert ("lr" in row.project_defaults) == (lr is None)
    assert ("batch_size" in row.project_defaults) == (batch is None)


def test_families_are_the_manuals():
    families = {key: row.family for key, row in PROFILES.items()}
    assert families["e3nn", "lite"] == "multitask_lite_e3nn"
    assert families["e3nn", "smoke"] == families["e3nn", "std"] == "multitask_std_e3nn"
    assert families["e3nn", "pro"] == families["e3nn", "max"] == families["e3nn", "competition"] == "multitask_pro_e3nn"
    assert {families["cgcnn", mode] for mode in MODES} == {"multitask_cgcnn"}


def test_presets_are_the_manuals():
    sizes = {name: (config.width, config.convolutions) for name, config in CGCNN_PRESETS.items()}
    assert sizes == {"small": (64, 2), "medium": (128, 3), "large": (256, 5)}


def test_only_e3nn_lite_is_fixed():
    assert [key for key, row in PROFILES.items() if row.fixed] == [("e3nn", "lite")]


def test_unknown_names_offer_the_nearest():
    with pytest.raises(UnknownNameError, match="cgcnn"):
        profile("cgnn", "std")
    with pytest.raises(UnknownNameError, match="smoke"):
        profile("e3nn", "smok")
