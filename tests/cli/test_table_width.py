"""Tables that are wider than the terminal: numbers stay whole, and names break at underscores."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from phase2.cli.console import make_table
from phase2.cli.table_width import fit_columns, fits_uncut
from phase2.properties import KEYS

NUMBERS = (
    "val MAE", "test MAE", "boosting val", "boosting test", "median baseline", "better by", "test R2", "test labels",
)  # fmt: skip
COLUMNS = ("property", "unit", *NUMBERS)
VALUES = ("0.0359", "0.0412", "0.0812", "0.0841", "12.4", "11.8 x", "0.99", "5,581")
ROWS = [(key, "eV/atom", *VALUES) for key in KEYS]


def shown(width, rows=ROWS):
    console = Console(width=width)
    with console.capture() as printed:
        console.print(make_table("", COLUMNS, rows, numeric=NUMBERS, width=width))
    return printed.get()


def test_nine_properties_fit_a_terminal_of_eighty_columns():
    lines = shown(80).splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.split()[-1] for line in lines if "0.0359" in line] == ["5,581"] * len(KEYS)
    names = [line[:14].strip() for line in lines[4:]]
    assert [name for name in names if name][:3] == ["formation_", "energy", "band_gap"]


@pytest.mark.parametrize("width", [80, 90, 100, 140, 200])
def test_no_number_is_cut(width):
    text = shown(width)
    for number in VALUES:
        assert text.count(number) == len(KEYS)


def test_names_are_whole_where_there_is_room():
    assert all(key in shown(100) for key in KEYS)


def test_a_long_text_leaves_its_heading_whole():
    layout = fit_columns(("", ""), [("saved in the store", "x " * 200), ("run id", "a")], (), 80)
    assert layout.widths[0] == len("saved in the store")


def test_a_number_and_that_in_parentheses_after_it_may_be_on_two_lines():
    layout = fit_columns(("property", "0.5"), [("formation_energy", "0.44 (1.11e+03)")], ("0.5",), 24)
    assert layout.widths[1] >= len("(1.11e+03)")


def test_a_table_fits_uncut_where_every_cell_is_on_one_line():
    table = (("run", "val MAE of formation_energy [eV/atom]"), [("long-name-of-a-run", "0.05")])
    least = len("long-name-of-a-run") + len("formation_") + 3  # a blank between the columns, and one at each edge
    assert fits_uncut(*table, least)
    assert not fits_uncut(*table, least - 1)


def test_a_table_that_fits_is_as_it_was():
    assert fit_columns(COLUMNS, ROWS, NUMBERS, 200) is None


@given(
    st.lists(
        st.tuples(st.text("ab_/ ", max_size=40), st.text("0123.", max_size=12), st.text("ab ", max_size=90)), max_size=4
    ),
    st.integers(20, 120),
)
def test_a_layout_keeps_to_the_line_and_to_the_numbers(rows, width):
    layout = fit_columns(("name", "MAE", "text"), rows, ("MAE",), width)
    if layout is not None:
        assert sum(layout.widths) + 2 + 2 * (1 + sum(layout.padding)) <= width
        assert layout.widths[1] >= max(len(number) for _, number, _ in rows)
