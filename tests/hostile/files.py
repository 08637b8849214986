"""Hostile structure files, made here: each by a function of the path to write."""

import os
import random
import string

CIF = """data_{name}
_cell_length_a {a}
_cell_length_b 5.6
_cell_length_c 5.6
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
{extra}
loop_
_symmetry_equiv_pos_as_xyz
{operators}
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
{sites}
"""
SITES = "Na1 Na 0 0 0\nCl1 Cl 0.5 0.5 0.5"
POSCAR = "{comment}\n1.0\n{a} 0 0\n0 5 0\n0 0 5\nNa Cl\n{counts}\nDirect\n0 0 0\n0.5 0.5 0.5\n"


def cif(a="5.6", extra="", operators="'x, y, z'", sites=SITES, name="x"):
    return CIF.format(a=a, extra=extra, operators=operators, sites=sites, name=name)


def poscar(a="5", counts="1 1", comment="x"):
    return POSCAR.format(a=a, counts=counts, comment=comment)


def json_record(elements='["Na", "Cl"]', coords="[[0, 0, 0], [0.5, 0.5, 0.5]]", a="5.6", extra=""):
    lattice = f"[[{a}, 0, 0], [0, 5.6, 0], [0, 0, 5.6]]"
    return f'{{{extra}"atoms": {{"lattice_mat": {lattice}, "coords": {coords}, "elements": {elements}}}}}'


def many_sites(count):
    rng = random.Random(count)
    return "\n".join(f"Na{k} Na {rng.random():.6f} {rng.random():.6f} {rng.random():.6f}" for k in range(count))


def many_elements(count):
    return {"elements": "[" + ", ".join(['"Na"'] * count) + "]", "coords": "[" + ", ".join(["[0, 0, 0]"] * count) + "]"}


CROWD = cif(a="5.6", extra="_symmetry_space_group_name_H-M 'F m -3 m'", operators="?", sites=many_sites(1_200))
"""Sites of which each is compared with all images of the others: the limit of time comes before that of atoms."""

TEXTS = {
    "long-number.cif": lambda: cif(a="9" * 5_000),
    "long-decimals.cif": lambda: cif(a="5." + "1" * 5_000),
    "long-site.cif": lambda: cif(sites="Na1 Na 0." + "3" * 5_000 + " 0 0"),
    "long-operator.cif": lambda: cif(operators=f"'x+1/{'9' * 3_000}, y, z'"),
    "long-operator-with-dots.cif": lambda: cif(operators=f"'x+1/{'9.' * 1_500}, y, z'"),
    "operators.cif": lambda: cif(operators="'x, y, z'\n" * 1_000_000),
    "operators-in-lines.cif": lambda: cif(operators=("'x, y, z' " * 1_000 + "\n") * 100),
    "images.cif": lambda: cif(operators="'x, y, z'\n" * 900, sites=many_sites(900)),
    "atoms.cif": lambda: cif(a="400", sites=many_sites(50_000)),
    "blocks.cif": lambda: "".join(f"data_{k}\n" for k in range(200_000)),
    "loops.cif": lambda: cif(extra="loop_\n_x\n1\n" * 300_000),
    "columns.cif": lambda: cif(extra="loop_\n" + "\n".join(f"_x{k}" for k in range(200_000)) + "\n1"),
    "empty-loop.cif": lambda: cif(extra="loop_\nloop_\nloop_"),
    "blank-lines.cif": lambda: "\n" * 3_000_000 + cif(),
    "blank-lines-inside.cif": lambda: cif(extra="\n \t\n" * 500_000),
    "blanks.cif": lambda: " " * 10_000_000 + "\n" + cif(),
    "one-line.cif": lambda: "data_x " + "y" * 20_000_000,
    "too-large.cif": lambda: "data_x\n" + "# filler\n" * 5_000_000,
    "quotes.cif": lambda: cif(extra=("'" * 19_000 + "x\n") * 400),
    "many-images.cif": lambda: CROWD,
    "nan-cell.cif": lambda: cif(a="nan"),
    "inf-cell.cif": lambda: cif(a="inf"),
    "exponent-cell.cif": lambda: cif(a="1e308"),
    "tiny-cell.cif": lambda: cif(a="1e-308"),
    "overflow-cell.cif": lambda: cif(a="1e999"),
    "empty.cif": lambda: "",
    "text-field.cif": lambda: cif(extra=";\n" + "no end\n" * 1_000),
    "unknown-element.cif": lambda: cif(sites="Q1 " + "Q" * 10_000 + " 0 0 0"),
    "claims.vasp": lambda: poscar(counts="10000000000 1"),
    "claims-in-lines.vasp": lambda: poscar(counts="4500 4500\n4500 4500"),
    "claims-with-sign.vasp": lambda: poscar(counts="+9_999_999_999 1"),
    "claims-after-blank-lines.vasp": lambda: "\n\n\n" + poscar(counts="10000000000 1"),
    "long-count.vasp": lambda: poscar(counts="9" * 5_000),
    "long-cell.vasp": lambda: poscar(a="9" * 5_000),
    "nan-cell.vasp": lambda: poscar(a="nan"),
    "exponent-cell.vasp": lambda: poscar(a="1e308"),
    "negative.vasp": lambda: poscar(counts="-1 -1"),
    "blanks.vasp": lambda: poscar() + "\n \n" * 2_000_000,
    "crowd.vasp": lambda: "x\n1\n300 0 0\n0 300 0\n0 0 300\nNa\n4500\nDirect\n" + "0.001 0.001 0.001\n" * 4_500,
    "cluster.vasp": lambda: (
        "x\n1\n300 0 0\n0 300 0\n0 0 300\nNa\n4500\nCartesian\n"
        + "".join(f"{0.52 * (k % 20)} {0.52 * (k // 20 % 20)} {0.52 * (k // 400)}\n" for k in range(4_500))
    ),
    "long-number.json": lambda: json_record(a="9" * 5_000),
    "long-decimals.json": lambda: json_record(a="5." + "1" * 1_000_000 + "e999"),
    "nesting.json": lambda: json_record(coords="[" * 200_000 + "]" * 200_000),
    "atoms.json": lambda: json_record(**many_elements(50_000)),
    "crowd.json": lambda: json_record(**many_elements(4_500), a="4500"),
    "nan.json": lambda: json_record(a="NaN"),
    "infinity.json": lambda: json_record(a="-Infinity"),
    "exponent.json": lambda: json_record(a="1e400"),
    "long-element.json": lambda: json_record(elements='["Na", "' + "C" * 1_000_000 + '"]'),
    "number-as-element.json": lambda: json_record(elements="[" + "9" * 4_000 + ", 17]"),
    "blanks.json": lambda: " " * 10_000_000 + json_record(),
    "too-large.json": lambda: '{"x": "' + "x" * 40_000_000 + '"}',
}
"""Texts by the names of their files."""

HARMLESS = {"loops.cif", "blank-lines.cif", "blank-lines-inside.cif", "empty-loop.cif", "blanks.vasp", "blanks.json"}
"""Those that are read all the same, or may be."""


def write_oddities(folder):
    """Write files that are odd without their content, and return the names of those that count as structures."""
    (folder / "utf-16.cif").write_bytes(cif().encode("utf-16"))
    (folder / "zeros.cif").write_bytes(b"\0" * 1_000)
    (folder / "binary.cif").write_bytes(random.Random(1).randbytes(100_000))
    (folder / "binary.vasp").write_bytes(random.Random(2).randbytes(100_000))
    (folder / "binary.json").write_bytes(random.Random(3).randbytes(100_000))
    (folder / ("n" * 240 + ".cif")).write_text("data_x\n")
    (folder / "line\nbreak.cif").write_text("data_x\n")
    with (folder / "sparse.cif").open("wb") as file:
        file.truncate(3_000_000_000)
    counted = {path.name for path in folder.iterdir()}
    (folder / "folder.cif").mkdir()
    os.mkfifo(folder / "pipe.cif")
    (folder / "device.cif").symlink_to("/dev/zero")
    (folder / "loop.cif").symlink_to("loop.cif")
    (folder / "dangling.cif").symlink_to("nowhere")
    return counted


def mutated(text, rng):
    """Change a text in one to four places, as a damaged disk, a wrong tool or a mischievous person would."""
    for _ in range(rng.randint(1, 4)):
        start = rng.randrange(len(text) + 1)
        end = min(len(text), start + rng.choice((0, 1, 5, 100)))
        filler = rng.choice(
            ("", "\0", "-", "9" * 70, "9" * 5_000, "nan", "1e999", "'", '"', "\n;\n", "\n" * 50, " " * 30_000,
             "loop_\n", "data_y\n", "x,y,z\n" * 2_000, "[" * 3_000, "\ud7ff", "#", text[start:end] * 3,
             "".join(rng.choices(string.printable, k=20)))
        )  # fmt: skip
        text = text[:start] + filler + text[end:]
    return text
