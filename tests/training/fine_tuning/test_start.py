"""Normalisation that is taken over together with the heads."""

import numpy as np

from phase2.data.targets import TargetScaler
from phase2.properties import get_property
from phase2.runs.records.lineage import Ancestor, Lineage, Normalisation
from phase2.training.fine_tuning.start import inherited_scaler


def test_kept_properties_have_the_sources_mean_and_std_and_all_else_is_of_the_new_labels():
    properties = (get_property("formation_energy"), get_property("dielectric"))
    labels = np.stack([np.linspace(-2, 1, 50), np.linspace(2, 40, 50)], axis=1)
    fitted = TargetScaler.fit(labels, properties)
    source = Ancestor(run_id="a", address="/a", sha256="0", epoch=1, properties=("dielectric",), data="sample")
    lineage = Lineage(
        source=source,
        kept=("dielectric",),
        new=("formation_energy",),
        normalisation={"dielectric": Normalisation(mean=2.5, std=0.7)},
        mean_neighbors=12.0,
        species=(1, 8),
    )
    found = inherited_scaler(fitted, lineage)
    np.testing.assert_array_equal(found.mean, [fitted.mean[0], 2.5])
    np.testing.assert_array_equal(found.std, [fitted.std[0], 0.7])
    for name in ("lower", "upper", "median"):
        np.testing.assert_array_equal(getattr(found, name), getattr(fitted, name))
    np.testing.assert_allclose(found.decode(found.encode(labels)), labels, rtol=1e-5)
