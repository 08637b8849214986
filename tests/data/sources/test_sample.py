"""The embedded sample is what its data card says, and physically sane."""

import io
import re
import tarfile
from pathlib import Path

import numpy as np
import pytest

from phase2.data.crystals.crystal import Crystal
from phase2.data.sources import sample
from phase2.data.sources.sample import SAMPLE_FILE, SampleSource
from phase2.errors import DataError
from phase2.properties import KEYS
from tools.datasets import sample as builder

ROOT = Path(__file__).parents[3]
CARD = (ROOT / "docs" / "data" / "sample.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def crystals():
    source = SampleSource()
    return {raw.id: source.parse(raw) for raw in source.records()}


@pytest.fixture(scope="module")
def targets(crystals):
    return np.array([labelled.targets for labelled in crystals.values()])


def rows_of_card():
    return re.findall(r"^\| (\w+) \|[^|]*\| ([\d,]+) \|(.*)\|$", CARD, flags=re.MULTILINE)


def test_the_card_counts_the_labels(targets):
    rows = {key: (int(count.replace(",", "")), figures) for key, count, figures in rows_of_card()}
    assert tuple(rows) == KEYS
    for column, key in enumerate(KEYS):
        labels = targets[:, column][~np.isnan(targets[:, column])]
        count, figures = rows[key]
        assert count == len(labels)
        if count:
            quantiles = np.quantile(labels, (0, 0.01, 0.25, 0.5, 0.75, 0.99, 1))
            assert [float(figure) for figure in figures.split("|")] == [float(f"{q:.4g}") for q in quantiles]


def test_the_card_counts_the_crystals(crystals, targets):
    parsed = [labelled.crystal for labelled in crystals.values()]
    sizes = [crystal.n_atoms for crystal in parsed]
    labels = (~np.isnan(targets)).sum(axis=1)
    for claim in (
        f"{len(parsed):,} real crystals",
        f"{sum(sizes):,} atoms in all: {min(sizes)} to {max(sizes)} in a cell, {int(np.median(sizes))} in the median",
        f"{len({z for c in parsed for z in c.species.tolist()})} elements",
        f"{len({c.formula for c in parsed}):,} different formulas",
        f"{(labels == 2).sum():,} crystals have two of them, {(labels == 1).sum()} one, {(labels > 2).sum()} three",
        f"{SAMPLE_FILE.stat().st_size / 1e6:.1f} MB",
    ):
        assert claim in " ".join(CARD.split()), claim


def test_the_card_counts_the_flaws(crystals, targets):
    column = dict(zip(KEYS, targets.T, strict=True))
    actinides = sum(bool(set(range(89, 104)) & set(c.crystal.species.tolist())) for c in crystals.values())
    for claim in (
        f"{(column['formation_energy'] > 1).sum()} formation energies above 1 eV/atom",
        f"{(column['ehull'] > 1).sum()} crystals are more than 1 eV/atom above the hull",
        f"{(column['ehull'] == 0).sum():,} of {np.isfinite(column['ehull']).sum():,} have exactly zero",
        f"{(column['dielectric'] > 100).sum()} dielectric constants above 100",
        f"the lowest gap is {np.nanmin(column['band_gap'])} eV",
        f"{actinides} crystals hold an actinide",
    ):
        assert claim in " ".join(CARD.split()), claim
    assert (column["piezoelectric"] > 15).sum() == 3
    assert (column["piezoelectric"] < 1e-3).sum() == 7


def test_labels_are_possible(targets):
    lowest = dict.fromkeys(KEYS, 0.0) | {"formation_energy": -6.0, "dielectric": 1.0}
    highest = {
        "formation_energy": 3.0, "band_gap": 15.0, "bulk_modulus": 500.0, "shear_modulus": 540.0, "dielectric": 500.0,
        "piezoelectric": 50.0, "ehull": 4.0,
    }  # fmt: skip
    for key, column in zip(KEYS, targets.T, strict=True):
        labels = column[~np.isnan(column)]
        assert (labels >= lowest[key]).all()
        assert (labels <= highest.get(key, np.inf)).all()
    assert (~np.isnan(targets)).any(axis=1).all()


def test_structures_are_possible(crystals):
    for labelled in crystals.values():
        crystal = labelled.crystal
        assert 5 < crystal.volume / crystal.n_atoms < 125
        assert ((crystal.frac >= 0) & (crystal.frac < 1)).all()
    ids = [int(name.removeprefix("mp-")) for name in crystals]
    assert ids == sorted(set(ids))


@pytest.mark.parametrize(
    ("crystal_id", "formula", "atoms", "edge", "known"),
    [
        # edge: of the cubic cell, angstrom, experiment; PBE is within 2 %
        ("mp-149", "Si", 8, 5.431, {"bulk_modulus": (98, 0.2), "shear_modulus": (67, 0.2)}),
        ("mp-22862", "ClNa", 8, 5.640, {"bulk_modulus": (25, 0.2)}),
        ("mp-1265", "MgO", 8, 4.212, {"bulk_modulus": (160, 0.1)}),
        ("mp-13", "Fe", 2, 2.866, {"bulk_modulus": (170, 0.15)}),
        ("mp-5229", "O3SrTi", 5, 3.905, {"bulk_modulus": (175, 0.1)}),
    ],
)
def test_textbook_crystals(crystals, crystal_id, formula, atoms, edge, known):
    crystal, labels = crystals[crystal_id].crystal, dict(zip(KEYS, crystals[crystal_id].targets, strict=True))
    assert (crystal.formula, crystal.n_atoms) == (formula, atoms)
    np.testing.assert_allclose(crystal.lattice, np.diag(np.diag(crystal.lattice)), atol=1e-5)
    np.testing.assert_allclose(np.diag(crystal.lattice), edge, rtol=0.02)
    for key, (value, tolerance) in known.items():
        assert labels[key] == pytest.approx(value, rel=tolerance)


@pytest.mark.parametrize(
    ("crystal_id", "formula", "key", "value"),
    [
        ("mp-2133", "OZn", "formation_energy", -1.81),  # -350 kJ/mol
        ("mp-2133", "OZn", "piezoelectric", 1.0),
        ("mp-661", "AlN", "piezoelectric", 1.5),
        ("mp-390", "O2Ti", "formation_energy", -3.26),  # -939 kJ/mol, anatase
        ("mp-2", "Pd", "formation_energy", 0.0),
    ],
)
def test_textbook_labels(crystals, crystal_id, formula, key, value):
    labelled = crystals[crystal_id]
    assert labelled.crystal.formula == formula
    assert labelled.targets[KEYS.index(key)] == pytest.approx(value, rel=0.1, abs=1e-6)


def test_packing_keeps_symmetry(crystals):
    """Distances that symmetry makes equal stay equal to far less than the graphs' 1e-3 angstrom."""
    crystal = crystals["mp-149"].crystal
    shifts = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3), axis=-1).reshape(-1, 3)
    frac = crystal.frac[None, :, None] - crystal.frac[None, None] + shifts[:, None, None]
    distances = np.linalg.norm(frac @ crystal.lattice, axis=-1)
    bonds = distances[(distances > 0.1) & (distances < 2.5)]
    assert len(bonds) == 8 * 4
    assert np.ptp(bonds) < 1e-4


def test_pack_and_read_are_inverse(tmp_path, monkeypatch):
    lattice = np.array([[4.123456, 0, 0], [1.5, 3.2, 0], [0.1, 0.2, 5.0]])
    crystals = [
        Crystal.checked("mp-7", ["Na", "Cl"], [[0.0, 0.0, 0.0], [1 / 3, 2 / 3, 0.999999999]], lattice),
        Crystal.checked("mp-12", ["Fe"], [[0.25, 0.5, 0.75]], lattice.T),
    ]
    labels = [{"ehull": 0.125, "band_gap": 1.5}, {"spillage": 0.25}]
    path = tmp_path / "sample.npz"
    path.write_bytes(builder.pack(crystals, labels))
    assert path.read_bytes() == builder.pack(crystals, labels)
    monkeypatch.setattr(sample, "SAMPLE_FILE", path)
    source = SampleSource()
    read = [source.parse(raw) for raw in source.records()]
    for before, values, after in zip(crystals, labels, read, strict=True):
        assert after.crystal.id == before.id
        assert after.crystal.symbols == before.symbols
        apart = after.crystal.frac - before.frac
        assert np.abs(apart - apart.round()).max() < 1e-8
        np.testing.assert_allclose(after.crystal.lattice, before.lattice, atol=5e-7)
        kept = {k: v for k, v in zip(KEYS, after.targets.tolist(), strict=True) if not np.isnan(v)}
        assert kept == values


@pytest.mark.parametrize("content", [None, b"", b"no archive", b"PK\x03\x04 cut"])
def test_a_damaged_installation_is_named(tmp_path, monkeypatch, content):
    path = tmp_path / "sample.npz"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setattr(sample, "SAMPLE_FILE", path)
    with pytest.raises(DataError, match=r"sample\.npz cannot be read"):
        list(SampleSource().records())


class TestScript:
    POSCAR = "Na1 Cl1\n1.0\n4 0 0\n0 4 0\n0 0 4\nNa Cl\n1 1\ndirect\n0 0 0 Na\n0.5 0.5 0.5 Cl"

    def archive(self, tmp_path):
        """A source distribution in small, with one crystal that is in two tables."""
        structure = {
            "lattice": {"matrix": [[4.0, 0, 0], [0, 4.0, 0], [0, 0, 4.00000001]]},
            "sites": [
                {"abc": [x, x, x], "species": [{"occu": 1, "element": e}]} for x, e in ((0.0, "Na"), (0.5, "Cl"))
            ],
        }
        tables = {
            "flla_2015": ["material_id,structure,formation_energy_per_atom,e_above_hull", f'mp-2,"{structure}",-2,0'],
            "dielectric_constant": [
                "material_id,band_gap,e_total,poscar", f'0,0,mp-2,5,"[[6,0,0],[0,6,1],[0,1,6]]","{self.POSCAR}"',
            ],
            "piezoelectric_tensor": [
                "material_id,piezoelectric_tensor,poscar", f'0,0,mp-10,"[[0,-0.5],[0.25,0]]","{self.POSCAR}"',
            ],
            "elastic_tensor": ["material_id,K_Voigt,G_Voigt,poscar", f'0,mp-1,25,15,"{self.POSCAR}"'],
        }  # fmt: skip
        files = {f"matminer/datasets/{name}.csv": "\n".join(["# ref", *rows]) for name, rows in tables.items()}
        path = tmp_path / "sdist.tar.gz"
        with tarfile.open(path, "w:gz") as sdist:
            for name, text in files.items():
                entry = tarfile.TarInfo(f"matminer-0.4.0/{name}")
                entry.size = len(text)
                sdist.addfile(entry, io.BytesIO(text.encode()))
        return path

    def test_tables_are_joined_by_id(self, tmp_path):
        with tarfile.open(self.archive(tmp_path)) as sdist:
            crystals, labels, dropped = builder.merge(sdist)
        assert [crystal.id for crystal in crystals] == ["mp-1", "mp-2", "mp-10"]
        assert dropped == 0
        assert labels == [
            {"bulk_modulus": 25.0, "shear_modulus": 15.0},
            {"formation_energy": -2.0, "ehull": 0.0, "band_gap": 5.0, "dielectric": pytest.approx(7.0)},
            {"piezoelectric": 0.5},
        ]
        assert crystals[1].lattice[2, 2] == 4.00000001  # the structure of the first table

    def test_another_archive_is_refused(self, tmp_path):
        with pytest.raises(SystemExit, match=builder.SDIST_SHA256):
            builder.verify(self.archive(tmp_path))


def test_the_licence_is_included():
    text = SAMPLE_FILE.with_suffix(".LICENSE").read_text(encoding="utf-8")
    assert "Lawrence Berkeley National Laboratory" in text
    assert "sample.LICENSE" in CARD
