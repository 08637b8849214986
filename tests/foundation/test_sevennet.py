"""Features of SevenNet are those of its own calculator."""

import numpy as np
from tests.foundation.potentials import features, salt

from phase2.foundation.featurizer import featurizer


def test_they_are_those_of_its_own_calculator():
    from ase import Atoms
    from sevenn.calculator import SevenNetCalculator

    crystal = salt()
    calculator = SevenNetCalculator("7net-0", device="cpu")
    caught = []
    gate = calculator.model._modules["4_equivariant_gate"]
    gate.register_forward_hook(lambda module, given, out: caught.append(out["x"].detach()))
    Atoms(
        crystal.species, positions=crystal.cartesian, cell=crystal.lattice, pbc=True, calculator=calculator
    ).get_potential_energy()
    found = features(featurizer("sevennet-0"), crystal)[0]
    assert found.shape == (2048,)
    np.testing.assert_allclose(found[896:1024], caught[0].mean(dim=0).numpy(), atol=1e-5)
    np.testing.assert_allclose(found[1920:], caught[0].std(dim=0, correction=0).numpy(), atol=1e-5)
