"""Texts of small CIFs."""

CUBIC = (5.64, 5.64, 5.64, 90, 90, 90)
HEXAGONAL = (3.16, 3.16, 12.3, 90, 90, 120)
ROCK_SALT = ("Na1 Na 0 0 0", "Cl1 Cl 0.5 0.5 0.5")
COLUMNS = ("label", "type_symbol", "fract_x", "fract_y", "fract_z")
F_CENTRED = ("x,y,z", "x,y+1/2,z+1/2", "x+1/2,y,z+1/2", "x+1/2,y+1/2,z")


def cif(*lines, cell=CUBIC, operators=(), sites=ROCK_SALT, columns=COLUMNS, name="x"):
    """Build a CIF of a cell, other lines, operators if there are any, and sites."""
    names = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    parts = [f"data_{name}", *(f"_cell_{key} {value}" for key, value in zip(names, cell, strict=True)), *lines]
    if operators:
        parts += ["loop_", "_symmetry_equiv_pos_as_xyz", *(f"'{one}'" for one in operators)]
    parts += ["loop_", *(f"_atom_site_{column}" for column in columns), *sites]
    return "\n".join(parts) + "\n"


def symbol(text):
    return f"_symmetry_space_group_name_H-M '{text}'"


def number(value):
    return f"_symmetry_Int_Tables_number {value}"


def hall(text):
    return f"_symmetry_space_group_name_Hall '{text}'"
