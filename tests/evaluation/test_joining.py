"""Predictions of files, joined by ids."""

import numpy as np
import pytest

from phase2.config.data.own_properties import PropertyDefinition
from phase2.errors import DataError
from phase2.evaluation.joining import join
from phase2.evaluation.prediction_file import read_prediction_file
from phase2.output.csv_text import write_csv
from phase2.properties import select_properties

PROPERTIES = select_properties(["formation_energy", "band_gap"])


def read(tmp_path, text):
    path = tmp_path / "preds.csv"
    path.write_text(text, encoding="utf-8")
    return read_prediction_file(path, PROPERTIES)


@pytest.mark.parametrize(
    "heading", ["band_gap", "band_gap [eV]", "band_gap_predicted [eV]", "band_gap_predicted", "band_gap[eV]"]
)
def test_the_headings_that_predictions_are_written_with(tmp_path, heading):
    file = read(tmp_path, f"\ufeffid,note,band_gap_reference [eV],{heading}\na,x,9,1.5\nb,y,9,\n")
    assert [p.key for p in file.properties] == ["band_gap"]
    assert file.names == ("a", "b")
    np.testing.assert_equal(file.values, [[1.5], [np.nan]])


def test_odd_ids_are_joined_as_tables_write_them(tmp_path):
    ids = ["a\nb", " lead", "trail ", "\u200bhidden", "=cmd()", "plain", "-1"]
    path = tmp_path / "preds.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        write_csv(file, [["id", "band_gap"]])
        write_csv(file, ([name, float(k)] for k, name in enumerate(ids)))
    joined = join(read_prediction_file(path, PROPERTIES), ids)
    assert joined.values[:, 0].tolist() == [*map(float, range(len(ids)))]
    assert (joined.missing, joined.extra) == ((), ())
    with pytest.raises(DataError, match="as tables write its ids"):
        join(read_prediction_file(path, PROPERTIES), [*ids, "lead"])


def test_ids_are_joined_whatever_their_order_and_the_rest_is_named(tmp_path):
    file = read(tmp_path, "id,band_gap\nc,3\na,1\nx,9\n")
    joined = join(file, ["a", "b", "c"])
    np.testing.assert_equal(joined.values, [[1.0], [np.nan], [3.0]])
    assert joined.found.tolist() == [True, False, True]
    assert joined.missing == ("b",)
    assert joined.extra == ("x",)
    notes = joined.notes("preds.csv")
    assert notes == [
        "1 labelled crystals have no row in preds.csv: b",
        "1 rows of preds.csv are no labelled crystal: x",
    ]


def test_files_are_joined_with_or_without_folder_and_suffix(tmp_path):
    file = read(tmp_path, "file,formula,band_gap [eV]\nmine/a.cif,Si,1\nmine/b.v2.cif,Si,2\n")
    np.testing.assert_equal(join(file, ["b.v2", "a"]).values, [[2.0], [1.0]])
    np.testing.assert_equal(join(file, ["a.cif", "b.v2.cif"]).values, [[1.0], [2.0]])
    np.testing.assert_equal(join(file, ["mine/b.v2.cif"]).values, [[2.0]])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("id,band_gap\na,1\na,2\n", "1 ids more than once"),
        ("id,band_gap [meV]\na,1\n", "another unit than band_gap \\[eV\\]"),
        ("id,band_gap,band_gap [eV]\na,1,2\n", "two columns of band_gap"),
        ("id,gap\na,1\n", "No column is headed by a property"),
        ("crystal,band_gap\na,1\n", "no column of ids"),
        ("id,band_gap\na,1,2\n", "Row 2 .* has 3 fields, not 2"),
        ("id,band_gap\na,wide\n", "prediction of a .* is no number: 'wide'"),
        ("", "no table of predictions"),
    ],
)
def test_a_file_that_could_be_misread_is_refused(tmp_path, text, says):
    with pytest.raises(DataError, match=says):
        read(tmp_path, text)


def test_ids_that_stand_twice_or_nowhere_are_refused(tmp_path):
    file = read(tmp_path, "id,band_gap\na,1\n")
    with pytest.raises(DataError, match="data set has 1 ids more than once"):
        join(file, ["a", "a"])
    with pytest.raises(DataError, match="No prediction has the id"):
        join(file, ["b"])
    files = read(tmp_path, "file,band_gap\nx/a.cif,1\ny/a.cif,2\n")
    with pytest.raises(DataError, match="without folders and suffixes"):
        join(files, ["a"])
    with pytest.raises(DataError, match=r"cannot be read"):
        read_prediction_file(tmp_path / "none.csv", PROPERTIES)


CHARGE, METAL = (
    one.as_property()
    for one in (
        PropertyDefinition(key="charge", unit="e", per="cell"),
        PropertyDefinition(key="metal", task="binary"),
    )
)


def read_own(tmp_path, text, properties=(*PROPERTIES, CHARGE, METAL)):
    path = tmp_path / "own.csv"
    path.write_text(text, encoding="utf-8")
    return read_prediction_file(path, properties)


@pytest.mark.parametrize("heading", ["metal", "metal_predicted", "metal [probability]"])
def test_probabilities_of_binary_properties_are_read(tmp_path, heading):
    file = read_own(tmp_path, f"id,charge [e],{heading}\na,11,0.25\nb,,1\n")
    assert [p.key for p in file.properties] == ["charge", "metal"]
    np.testing.assert_equal(file.values, [[11.0, 0.25], [np.nan, 1.0]])
    assert [p.key for p in file.select([METAL], tmp_path).properties] == ["metal"]
    with pytest.raises(DataError, match="no predictions of band_gap"):
        file.select(PROPERTIES[1:], tmp_path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("id,metal\na,1.5\n", "no probability: metal = 1.5"),
        ("id,metal\na,-0.1\n", "between 0 .false. and 1 .true."),
        ("id,metal\na,inf\n", "no probability"),
        ("id,metal [%]\na,50\n", "another unit than metal \\[probability\\]"),
        ("id,charge [C]\na,1\n", "another unit than charge \\[e\\]"),
    ],
)
def test_what_is_no_probability_is_refused(tmp_path, text, says):
    with pytest.raises(DataError, match=says):
        read_own(tmp_path, text)


def test_columns_of_properties_that_are_not_known_are_named(tmp_path):
    head = "id,formula,band_gap [eV],band_gap_low [eV],std of band_gap [eV],charge_reference [e],charge_predicted [e]"
    file = read_own(tmp_path, f"{head},cv [J/mol/K],novelty\na,Si,1,0,0.1,14,13.5,20,0.3\n", PROPERTIES)
    (note,) = file.notes("own.csv")
    assert "2 columns of own.csv are not judged: charge_predicted [e], cv [J/mol/K]" in note
    assert "--property" in note
    assert read_own(tmp_path, "id,charge\na,1\n").notes("own.csv") == []
