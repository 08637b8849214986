"""Tables as people and programs write them: read as they are meant, or refused with the reason."""

import csv
import io
import math

import pytest

from phase2.config.data.property_texts import parse_property
from phase2.data.sources.base import read_label
from phase2.data.sources.missing import is_missing
from phase2.data.sources.tables.targets import read_target_table
from phase2.errors import DataError
from phase2.properties import PROPERTIES

KEYS = [p.key for p in PROPERTIES]
PLAIN = "file,formation_energy,band_gap\nNaCl.cif,-2.1,5.0\nMgO.cif,-3.0,4.5\nTiN.cif,-1.8,0\n"
READ = {"NaCl.cif": (-2.1, 5.0), "MgO.cif": (-3.0, 4.5), "TiN.cif": (-1.8, 0.0)}


def read(folder, content):
    """Return the formation energy and the band gap of each file or id."""
    path = folder / "targets.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return {row.file or row.id: labels_of(row) for row in read_target_table(path).rows if not row.defect}


def labels_of(row):
    numbers = [read_label(text, p, row.id) for text, p in zip(row.labels, PROPERTIES, strict=True)]
    return numbers[0], numbers[1]


def rewritten(separator, change=lambda cell: cell):
    buffer = io.StringIO()
    rows = csv.writer(buffer, delimiter=separator, lineterminator="\n")
    rows.writerows([map(change, row) for row in csv.reader(io.StringIO(PLAIN))])
    return buffer.getvalue()


def with_commas(cell):
    return cell if cell.endswith(".cif") else cell.replace(".", ",")


SAME = {
    "plain": PLAIN,
    "byte order mark": b"\xef\xbb\xbf" + PLAIN.encode(),
    "ends of lines": PLAIN.replace("\n", "\r\n"),
    "old ends of lines": PLAIN.replace("\n", "\r"),
    "semicolon": rewritten(";"),
    "tab": rewritten("\t"),
    "bar": rewritten("|"),
    "decimal comma": rewritten(";", with_commas),
    "decimal comma and tab": rewritten("\t", with_commas),
    "separator said": "sep=;\n" + rewritten(";", with_commas),
    "separator said in large letters": b"\xef\xbb\xbfSEP=\t\r\n" + rewritten("\t").encode(),
    "quotes": 'file,formation_energy,band_gap\n"NaCl.cif","-2.1","5.0"\n"MgO.cif","-3.0","4.5"\n"TiN.cif","-1.8","0"\n',
    "blanks": PLAIN.replace(",", " , "),
    "comment": "# made by me\n" + PLAIN,
    "comments": "# made by me, at home\n#\n\n# second\n" + PLAIN,
    "comment with a quote": "# John's \"best\n" + PLAIN,
    "comment below": PLAIN.replace("MgO", "# a remark\nMgO"),
    "comment below with a quote": PLAIN.replace("MgO", '# a "remark\nMgO'),
    "headings in a comment": "# " + PLAIN,
    "headings in a comment and semicolons": "# two tables\n#" + rewritten(";", with_commas),
    "empty lines": "\n\n" + PLAIN.replace("\n", "\n\n"),
    "empty column at the end": PLAIN.replace("\n", ",\n"),
    "empty columns in rows alone": PLAIN.replace(".0\n", ".0,,\n").replace("0\n", "0,\n"),
    "minus of typography": PLAIN.replace("-", "\u2212"),
    "plus": PLAIN.replace("5.0", "+5.0"),
    "exponents": PLAIN.replace("-2.1", "-21e-1").replace("4.5", "45E-1"),
    "titles": PLAIN.replace("formation_energy,band_gap", "Formation energy,Band gap"),
    "capitals": PLAIN.replace("file,formation_energy,band_gap", "FILE,Formation_Energy,BAND_GAP"),
    "blanks in headings": PLAIN.replace("formation_energy,band_gap", "formation energy , Band-Gap"),
    "run together": PLAIN.replace("formation_energy,band_gap", "FormationEnergy,bandgap"),
    "JARVIS": PLAIN.replace("formation_energy,band_gap", "formation_energy_peratom,optb88vdw_bandgap"),
    "per atom": PLAIN.replace("formation_energy,band_gap", "formation_energy_per_atom,band_gap"),
    "per atom with a unit": PLAIN.replace("formation_energy,band_gap", "formation_energy_per_atom (eV),band_gap eV"),
    "units": PLAIN.replace("formation_energy,band_gap", "formation_energy [eV/atom],band_gap (eV)"),
    "units as words": PLAIN.replace("formation_energy,band_gap", "formation_energy_eV_per_atom,band_gap_in_eV"),
    "units after a slash": PLAIN.replace("formation_energy,band_gap", "formation_energy / eV/atom,band_gap / eV"),
    "file name": PLAIN.replace("file,", "File name,"),
    "further columns": PLAIN.replace("file,", "comment,file,").replace("\n", "\nx,")[:-2],
}  # fmt: skip


@pytest.mark.parametrize("name", SAME)
def test_a_table_is_read_however_it_is_written(tmp_path, name):
    assert read(tmp_path, SAME[name]) == READ


WORDS = [
    "", " ", "-", "--", "---", "\u2013", "\u2014", "?", "??", ".", "*", "N/A", "n/a", "NA", "na", "n.a.", "n. a.",
    "N.A",
    "#N/A", "#N/A N/A", "#NA", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!", "NaN", "nan", "-nan", "-NaN",
    "1.#QNAN", "-1.#IND", "<NA>", "<nan>", "(none)", "[missing]", "null", "NULL", "nil", "None", "missing", "MISSING",
    "unknown", "n.d.", "nd", "not available", "not reported", "not calculated", "no data", "void", "TBD", "_", "~",
    "'-'", '"n/a"',
]  # fmt: skip
VALUES = ["0", "-0", "1", "-1", "1e5", "5-3", "x", "inf", "-inf", "yes", "no", "true", "e", "n", "a", "1.", ".5", "#5"]


@pytest.mark.parametrize("word", WORDS)
def test_a_word_for_a_missing_value_costs_its_cell_and_never_its_row(tmp_path, word):
    assert is_missing(word)
    buffer = io.StringIO()
    csv.writer(buffer).writerow(["MgO.cif", "-3.0", word])
    found = read(tmp_path, PLAIN.replace("MgO.cif,-3.0,4.5\n", buffer.getvalue()))
    assert found["MgO.cif"][0] == -3.0
    assert math.isnan(found["MgO.cif"][1])
    assert found | {"MgO.cif": 0} == READ | {"MgO.cif": 0}


@pytest.mark.parametrize("word", VALUES)
def test_other_cells_are_not_taken_for_missing(word):
    assert not is_missing(word)


CONVERTED = [
    ("formation_energy [meV/atom]", "-2100", -2.1),
    ("formation_energy (meV/atom)", "-2100", -2.1),
    ("formation_energy_meV_per_atom", "-2100", -2.1),
    ("Formation energy / meV/atom", "-2100", -2.1),
    ("formation_energy_per_atom [meV]", "-2100", -2.1),
    ("formation_energy_peratom, kJ/mol", "-2100", None),
    ("formation_energy [kJ/mol/atom]", "96.48533212", 1.0),
    ("formation_energy [Ry/atom]", "1", 13.605693123),
]


@pytest.mark.parametrize(("heading", "cell", "value"), CONVERTED)
def test_a_unit_in_a_heading_is_converted(tmp_path, heading, cell, value):
    content = PLAIN.replace("formation_energy", f'"{heading}"').replace("-2.1", cell)
    if value is None:  # "peratom" makes it kilojoules per mole of atoms
        value = -2100 * 0.01036426966
    assert read(tmp_path, content)["NaCl.cif"][0] == pytest.approx(value, rel=1e-8)
    decimal = content.replace(",", ";").replace("formation_energy_peratom; kJ/mol", "formation_energy_peratom, kJ/mol")
    assert read(tmp_path, decimal)["NaCl.cif"][0] == pytest.approx(value, rel=1e-8)


def test_a_conversion_keeps_missing_cells_and_wrong_ones(tmp_path, caplog):
    content = "file,band_gap [meV]\na.cif,1500\nb.cif,-\nc.cif,wide\n"
    path = tmp_path / "targets.csv"
    path.write_text(content)
    with caplog.at_level("WARNING"):
        rows = read_target_table(path).rows
    assert [row.labels[KEYS.index("band_gap")] for row in rows] == ["1.5", "-", "wide"]
    assert "converted to eV: times 0.001" in caplog.text


@pytest.mark.parametrize(
    ("prop", "heading", "cell", "value"),
    [
        ("bulk_modulus", "bulk_modulus [kbar]", "1000", 100),
        ("bulk_modulus", "Bulk modulus (Pa)", "1e11", 100),
        ("shear_modulus", "shear_modulus_MPa", "40000", 40),
        ("shear_modulus", "shear_modulus [eV/Ang^3]", "1", 160.2176634),
        ("piezoelectric", "piezoelectric [uC/cm2]", "50", 0.5),
        ("piezoelectric", "piezoelectric (\u00b5C/cm\u00b2)", "50", 0.5),
        ("ehull", "ehull [meV/atom]", "25", 0.025),
        ("band_gap_mbj", "Band gap (TB-mBJ) [Ry]", "1", 13.605693123),
        ("band_gap_mbj", "Band gap (TB-mBJ)", "1", 1),
        ("dielectric", "dielectric [-]", "11", 11),
        ("spillage", "spillage (%)", "50", 0.5),
    ],
)
def test_units_of_all_properties_are_converted(tmp_path, prop, heading, cell, value):
    path = tmp_path / "targets.csv"
    path.write_text(f'id,"{heading}"\na,{cell}\n', encoding="utf-8")
    (row,) = read_target_table(path).rows
    assert float(row.labels[KEYS.index(prop)]) == pytest.approx(value, rel=1e-8)


REFUSED = {
    "UTF-16": (PLAIN.encode("utf-16"), "UTF-16"),
    "UTF-16 of the other order": (b"\xfe\xff" + PLAIN.encode("utf-16-be"), "UTF-16"),
    "UTF-16 without a mark": (PLAIN.encode("utf-16-le"), "UTF-16"),
    "workbook": (b"PK\x03\x04" + bytes(100), "workbook of Excel"),
    "old workbook": (b"\xd0\xcf\x11\xe0" + bytes(100), "workbook of Excel"),
    "gzip": (b"\x1f\x8b" + bytes(100), "gzip"),
    "no headings": (
        "NaCl,-2.1\nMgO,-3.0\n",
        "no row of headings.*id_prop.csv.*Add a first line that does: id,formation",
    ),
    "no headings, files": ("NaCl.cif,-2.1\nMgO.cif,-3.0\n", "a first line that does: file,"),
    "no headings, semicolons": ("NaCl;-2,1\nMgO;-3,0\n", "a first line that does: id;formation_energy"),
    "no headings, tabs": ("NaCl\t-2.1\nMgO\t-3.0\n", "a first line that does: id\tformation_energy"),
    "no headings, two values": ("NaCl,-2.1,5\nMgO,-3.0,4\n", r"id,formation_energy \[eV/atom\],band_gap \[eV\]"),
    "no headings, missing": ("NaCl,nan\nMgO,-3.0\n", "no row of headings"),
    "no headings, comment": ("# CGCNN\nNaCl,-2.1\nMgO,-3.0\n", "no row of headings"),
    "blanks": ("file band_gap\nNaCl.cif 5\n", "separates its cells by blanks"),
    "blanks in columns": ("file     band_gap   ehull\nNaCl.cif 5 0\n", "separates its cells by blanks"),
    "comma or thousands": ("file;band_gap\nNaCl.cif;1,234\nMgO.cif;5,678\n", "may be 1.234 or 1234"),
    "thousands": ("file;band_gap\nNaCl.cif;1,234,567\nMgO.cif;5,6\n", "separates thousands"),
    "German thousands": ("file;band_gap\nNaCl.cif;1.234,5\nMgO.cif;5,6\n", "separates thousands"),
    "English thousands": ("file;band_gap\nNaCl.cif;1,234.5\nMgO.cif;5.6\n", "separates thousands"),
    "both decimal signs": ("file\tband_gap\nNaCl.cif\t1,5\nMgO.cif\t2.5\n", "'1,5' has a comma, and '2.5' a point"),
    "decimal commas in quotes": ('file,band_gap\nNaCl.cif,"5,0"\nMgO.cif,"4,5"\n', "no number in the column"),
    "two columns": ("file,band_gap,Band gap\nNaCl.cif,1,2\n", "two columns for 'band_gap'"),
    "two columns by unit": ("file,band_gap,band_gap [meV]\nNaCl.cif,1,2\n", "two columns for 'band_gap'"),
    "two files": ("file,File,band_gap\nNaCl.cif,x,2\n", "two columns for 'file'"),
    "energy of a cell": ("file,formation_energy [eV]\nNaCl.cif,1\n", "per atom"),
    "energy of a mole": ("file,formation_energy [kJ/mol]\nNaCl.cif,1\n", "per atom"),
    "megaelectronvolt": ("file,band_gap [MeV]\nNaCl.cif,1\n", "Do you mean meV"),
    "wrong unit": ("file,band_gap [GPa]\nNaCl.cif,1\n", "different things"),
    "remark in brackets": ("file,band_gap (PBE)\nNaCl.cif,1\n", "no unit that phase2 converts"),
    "misspelt": ("file,band_gpa\nNaCl.cif,1\n", r"Call it 'band_gap \[UNIT\]'"),
    "misspelt with unit": ("file,formation_enrgy [meV/atom]\nNaCl.cif,1\n", r"Call it 'formation_energy \[UNIT\]'"),
    "own property": ("file,heat capacity [J/mol/K]\nNaCl.cif,50\n", "--property 'KEY:UNIT:heat capacity'"),
    "empty": ("", "no rows"),
    "headings alone": ("file,band_gap\n", "no rows"),
    "comments alone": ("# nothing\n# here\n", "."),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_table_without_one_meaning_is_refused_with_the_reason(tmp_path, name):
    content, words = REFUSED[name]
    with pytest.raises(DataError, match=words) as refused:
        read(tmp_path, content)
    assert "Rename" not in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("cell", ['"1,234"', '"-2,1"', "1 234", "1'234", "5 eV", "5.0(1)", ">5", "1_000", "0x1F"])
def test_a_cell_that_is_no_number_costs_its_record(tmp_path, cell):
    path = tmp_path / "targets.csv"
    path.write_text(PLAIN.replace("4.5", cell))
    row = read_target_table(path).rows[1]
    with pytest.raises(DataError, match="is a number in eV"):
        labels_of(row)


def test_one_decimal_comma_that_is_certain_decides_for_all(tmp_path):
    found = read(tmp_path, "file;band_gap;formation_energy\na;1,234;-0,125\nb;5;-1,5\n")
    assert found == {"a": (-0.125, 1.234), "b": (-1.5, 5.0)}


@pytest.mark.parametrize("name", ["plain", "byte order mark", "quotes", "blanks", "exponents"])
def test_what_was_read_before_keeps_its_fingerprint(tmp_path, name):
    read(tmp_path, SAME[name])
    assert not read_target_table(tmp_path / "targets.csv").read_anew


@pytest.mark.parametrize("content", [PLAIN.replace("4.5", "-"), rewritten(";"), PLAIN.replace("gap", "gap [meV]")])
def test_what_is_read_anew_is_another_data_set(tmp_path, content):
    read(tmp_path, content)
    assert read_target_table(tmp_path / "targets.csv").read_anew


def own_labels(folder, content, *definitions):
    """Return the labels of each property that is defined, by its key."""
    path = folder / "own.csv"
    path.write_text(content)
    own = [one.as_property() for text in definitions for one in parse_property(text)]
    known = (*PROPERTIES, *own)
    rows = read_target_table(path, properties=known).rows
    return {p.key: [read_label(row.labels[known.index(p)], p, row.id) for row in rows] for p in (*own, PROPERTIES[1])}


def test_several_properties_are_read_of_one_column(tmp_path):
    table = "file,band_gap [meV],c\na.cif,1500,2\nb.cif,2500,4\n"
    found = own_labels(tmp_path, table, "mine:eV:band_gap", "one::c", "{key: two, column: c, transform: log1p}")
    assert found == {"mine": [1.5, 2.5], "band_gap": [1.5, 2.5], "one": [2, 4], "two": [2, 4]}


def test_a_title_is_no_second_name_of_a_column_that_has_another_property(tmp_path):
    table = "file,Band gap,gap_hse\na.cif,1,2\n"
    found = own_labels(tmp_path, table, "{key: gap_hse, title: Band gap}")
    assert found == {"gap_hse": [2], "band_gap": [1]}


def test_a_heading_may_say_what_a_property_is_counted_per(tmp_path):
    for definition in ("{key: e, unit: eV, per: cell}", "{key: e, unit: eV/cell, per: cell}"):
        assert own_labels(tmp_path, "file,e [meV/cell]\na.cif,1500\n", definition)["e"] == [1.5]
    with pytest.raises(DataError, match="cannot be converted"):
        own_labels(tmp_path, "file,e [eV/atom]\na.cif,1500\n", "{key: e, unit: eV, per: cell}")


def test_a_heading_with_a_unit_says_how_to_define_the_property_with_it(tmp_path):
    with pytest.raises(DataError) as refused:
        own_labels(tmp_path, "file,heat (J/mol/K)\na.cif,1\n", "cv::heat")
    assert refused.value.fix == "Define the property with it, --property cv:J/mol/K:heat, or drop it."


def test_columns_that_are_alike_are_no_misspelt_property(tmp_path):
    table = "file,e_form_pbe,e_form_hse\na.cif,1,2\n"
    assert own_labels(tmp_path, table, "e_form_pbe")["e_form_pbe"] == [1]
    with pytest.raises(DataError, match="close to 'e_form_pbe'"):
        own_labels(tmp_path, table.replace("pbe", "pb2"), "e_form_pbe")


@pytest.mark.parametrize(
    ("cells", "definition", "fix"),
    [
        ("T F", "{key: metal, task: binary}", "Correct the column or remove it"),
        ("yes no", "metal", "task: binary"),
    ],
)
def test_words_that_are_no_labels_are_told_by_the_kind_of_the_property(tmp_path, cells, definition, fix):
    first, second = cells.split()
    with pytest.raises(DataError) as refused:
        own_labels(tmp_path, f"file,metal\na.cif,{first}\nb.cif,{second}\n", definition)
    assert fix in refused.value.fix
    assert ("true or false" in refused.value.what) == ("binary" in definition)
