"""A structure is the same crystal, whichever form a program passes it in."""

import numpy as np
import pytest

from phase2.data.crystals.readers import read_structure
from phase2.errors import DataError, InvalidCrystalError
from phase2.prediction.reading.inputs import crystal_of, is_pymatgen, name_of
from phase2.testing.crystals import assert_same_crystal, rock_salt


def test_paths_crystals_and_pymatgen_structures_are_the_same_crystal(examples):
    path = examples[0]
    crystal = read_structure(path)
    for structure in (path, str(path), crystal, crystal.to_pymatgen()):
        assert_same_crystal(crystal_of(structure, "x"), crystal)


def test_names_are_the_file_the_id_or_the_position(examples):
    assert name_of(examples[0], 3) == name_of(str(examples[0]), 3) == str(examples[0])
    assert name_of(rock_salt(), 3) == "rock-salt"
    assert name_of(rock_salt().to_pymatgen(), 3) == "structures[3]"


def test_pymatgen_structures_are_recognised(examples):
    assert is_pymatgen(rock_salt().to_pymatgen())
    assert not any(is_pymatgen(other) for other in (rock_salt(), str(examples[0]), np.eye(3)))


@pytest.mark.parametrize("structure", [None, 3, {"species": ["Na"]}])
def test_other_objects_are_refused_by_their_type(structure):
    with pytest.raises(InvalidCrystalError, match=f"structures.*{type(structure).__name__}, which is no structure"):
        crystal_of(structure, "structures[0]")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        crystal_of(tmp_path / "a.cif", "x")
