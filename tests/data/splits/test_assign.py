"""Laws of the splits by name: groups stay whole, sparse properties reach every part, folds and files are exact."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import KFold

from phase2.config.schema import DataConfig
from phase2.data.splits.assign import SplitInput, assign_parts
from phase2.data.splits.folds import MATBENCH_SEED, matbench_test_rows, row_numbers
from phase2.data.splits.groups import GroupKeys
from phase2.data.symmetry.table import SymmetryTable
from phase2.errors import DataError

ReadColumn = Callable[[str], Mapping[str, str]]
NO_COLUMN = cast("ReadColumn", {}.get)
PARTS = ("train", "val", "test")
FORMULAS = ("NaCl", "Na2Cl", "LiF", "Fe2O3", "FeO", "Si", "LiFeO2", "SiO2", "MgO", "Mg2Si", "GaAs", "InP")


@dataclass(frozen=True, eq=False)
class Crystals:
    """What a split reads of graphs."""

    ids: np.ndarray
    formulas: np.ndarray
    targets: np.ndarray

    def __len__(self):
        return len(self.ids)


@st.composite
def crystals(draw):
    formulas = draw(st.lists(st.sampled_from(FORMULAS), min_size=12, max_size=60))
    formulas[: len(FORMULAS)] = FORMULAS
    count = len(formulas)
    targets = np.full((count, 3), np.nan)
    targets[:, 0] = 1.0
    for column in (1, 2):
        labelled = draw(st.lists(st.integers(0, count - 1), min_size=3, max_size=12, unique=True))
        targets[labelled, column] = 2.0
    numbers = np.array(draw(st.lists(st.integers(0, 9), min_size=count, max_size=count)), dtype=np.int64)
    graphs = Crystals(np.array([f"c-{k}" for k in range(count)]), np.array(formulas), targets)
    return graphs, SymmetryTable(numbers, np.array([f"p{k}" if k else "" for k in numbers]))


def _input(made):
    graphs, symmetry = made
    return SplitInput(graphs, (), lambda: symmetry, NO_COLUMN)


def _split(made, name, seed=42):
    return assign_parts(DataConfig(split=name, split_seed=seed), _input(made)).split


def _rows(split):
    return [set(getattr(split, part).tolist()) for part in PARTS]


@given(
    crystals(),
    st.sampled_from(["composition", "chemsys", "spacegroup", "prototype", "composition+prototype"]),
    st.integers(0, 99),
)
def test_a_group_never_straddles_two_parts(made, name, seed):
    graphs, symmetry = made
    keys = GroupKeys(graphs, lambda: symmetry, NO_COLUMN).of(name.split("+"))
    if len(set(keys)) < 3:
        with pytest.raises(DataError, match="cannot be split"):
            _split(made, name, seed)
        return
    parts = _rows(_split(made, name, seed))
    assert sorted(k for part in parts for k in part) == list(range(len(graphs)))
    assert all(parts)
    groups = [{keys[k] for k in part} for part in parts]
    assert sum(map(len, groups)) == len(set.union(*groups))


@given(crystals(), st.integers(0, 99))
def test_a_property_that_enough_crystals_have_reaches_every_part(made, seed):
    targets = made[0].targets
    for part in _rows(_split(made, "stratified", seed)):
        labelled = np.isfinite(targets[sorted(part)]).any(axis=0)
        assert labelled[0]
        # Where a crystal of each property may be given away, every part has both.
        if not (np.isfinite(targets[:, 1]) & np.isfinite(targets[:, 2])).any():
            assert labelled.all()


@given(crystals(), st.integers(2, 6), st.sampled_from(["", ":composition", ":chemsys"]), st.integers(0, 99))
def test_folds_are_a_partition_and_keep_groups_whole(made, folds, grouped, seed):
    graphs, symmetry = made
    keys = GroupKeys(graphs, lambda: symmetry, NO_COLUMN).of([grouped[1:]] if grouped else [])
    tests, labels = [], []
    for fold in range(1, folds + 1):
        train, val, test = _rows(_split(made, f"kfold:{folds}/{fold}{grouped}", seed))
        assert train
        assert val
        assert sorted(train | val | test) == list(range(len(graphs)))
        assert not {keys[k] for k in test} & {keys[k] for k in train | val}
        assert not {keys[k] for k in val} & {keys[k] for k in train}
        tests.append(test)
        labels.append(np.isfinite(graphs.targets[sorted(test)]).sum(axis=0))
    assert sorted(k for test in tests for k in test) == list(range(len(graphs)))
    if not grouped:
        rarest = min((1, 2), key=lambda column: np.isfinite(graphs.targets[:, column]).sum())
        counts = [count[rarest] for count in labels]
        assert max(counts) - min(counts) <= 1


@given(crystals(), st.sampled_from(["Li", "O", "Fe", "Si"]))
def test_a_left_out_element_is_in_the_test_part_alone(made, element):
    formulas = made[0].formulas
    train, val, test = _rows(_split(made, f"element:{element}"))
    has = {k for k, formula in enumerate(formulas) if element in formula}
    assert test == has
    assert train
    assert val


@pytest.mark.parametrize("name", ["chemsys", "stratified", "kfold:3/2", "element:Li"])
@given(made=crystals(), random=st.randoms())
def test_the_order_of_the_records_does_not_matter(name, made, random):
    graphs, symmetry = made
    order = list(range(len(graphs)))
    random.shuffle(order)
    shuffled = Crystals(graphs.ids[order], graphs.formulas[order], graphs.targets[order])
    one, other = _split(made, name), _split((shuffled, symmetry), name)
    assert one.fingerprint(graphs.ids) == other.fingerprint(shuffled.ids)


def test_an_element_that_no_crystal_has_is_refused():
    made = _few()
    with pytest.raises(DataError, match="no crystal of the data set has Xe") as error:
        _split(made, "element:Xe")
    assert "Fe" in error.value.fix


@pytest.mark.parametrize("rows", [50, 312, 10_987])
def test_the_folds_of_matbench_are_those_of_scikit_learn(rows):
    expected = [test for _, test in KFold(5, shuffle=True, random_state=MATBENCH_SEED).split(np.arange(rows))]
    for fold, test in enumerate(expected):
        assert np.array_equal(matbench_test_rows(rows, f"fold_{fold}"), test)


def test_rows_are_counted_by_the_names_where_records_are_missing():
    rows, total = row_numbers(np.array(["mb-x-1", "mb-x-4", "mb-x-2"]), ["mb-x-3"])
    assert (rows.tolist(), total) == ([0, 3, 1], 4)
    assert row_numbers(np.array(["b", "a"]), [])[0].tolist() == [0, 1]
    with pytest.raises(DataError, match="rows of the data set are not known"):
        row_numbers(np.array(["b", "a"]), ["c"])


def _few():
    graphs = Crystals(np.array([f"mp-{k}" for k in range(12)]), np.array(FORMULAS), np.ones((12, 1)))
    return graphs, SymmetryTable(np.zeros(12, dtype=np.int64), np.full(12, ""))


JARVIS = {"id_train": ["mp-0", "mp-1", "mp-99"], "id_val": ["mp-2"], "id_test": ["mp-3", "mp-4"]}


def test_a_published_split_is_used_as_it_is_and_what_is_missing_is_named(tmp_path):
    path = tmp_path / "ids_train_val_test.json"
    path.write_text(json.dumps(JARVIS), encoding="utf-8")
    found = assign_parts(DataConfig(split=f"file:{path}"), _input(_few()))
    assert _rows(found.split) == [{0, 1}, {2}, {3, 4}]
    assert found.missing == ("mp-99",)
    assert found.outside == 12 - 5
    assert found.file_sha256 is not None
    assert len(found.file_sha256) == 64


def test_a_table_of_ids_is_a_split_file_and_a_missing_validation_part_is_drawn(tmp_path):
    path = tmp_path / "split.csv"
    rows = [f"mp-{k},train" for k in range(10)] + ["mp-10,Test", "mp-11,test"]
    path.write_text("id,part\n" + "\n".join(rows) + "\n", encoding="utf-8")
    train, val, test = _rows(_split(_few(), f"file:{path}"))
    assert test == {10, 11}
    assert train | val == set(range(10))
    assert len(val) == 1


@pytest.mark.parametrize("separator", ["\t", ";"])
def test_a_table_of_ids_is_separated_as_tables_are(tmp_path, separator):
    path = tmp_path / "split.tsv"
    rows = ["material,subset", *(f"mp-{k},{'train' if k < 9 else 'test'}" for k in range(12))]
    path.write_text("\n".join(rows).replace(",", separator), encoding="utf-8")
    assert _rows(_split(_few(), f"file:{path}"))[2] == {9, 10, 11}


def test_a_first_row_with_a_misspelt_part_is_no_heading(tmp_path):
    path = tmp_path / "split.csv"
    path.write_text("\n".join(["mp-0,trian", *(f"mp-{k},{'train' if k < 9 else 'test'}" for k in range(1, 12))]))
    with pytest.raises(DataError, match="has no part for 'mp-0'"):
        _split(_few(), f"file:{path}")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "It is no JSON"),
        ("[1]", "not an object"),
        ('{"a": []}', "Its keys are a"),
        ('{"train": ["mp-0"], "val": [], "test": ["mp-0"]}', r"1 id \(mp-0\) in two parts"),
        ('{"train": ["mp-0"], "val": []}', "no id for the training or for the test part"),
        ('{"train": [["mp-0"]], "test": ["mp-1"]}', "no id"),
        ('{"train": ["x-0"], "val": ["x-1"], "test": ["x-2"]}', "None of the 3 ids"),
        ('{"train": ["mp-0"], "val": ["mp-1"], "test": ["x-2"]}', "no crystal of the test part"),
        ('{"train": ["mp-0"], "train": ["mp-1"], "test": ["mp-2"]}', "It has 'train' twice"),
    ],
)
def test_a_split_file_that_cannot_be_used_is_refused(tmp_path, content, message):
    path = tmp_path / "split.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        _split(_few(), f"file:{path}")
    with pytest.raises(DataError, match="cannot be read"):
        _split(_few(), f"file:{tmp_path / 'none.json'}")


@pytest.mark.parametrize(
    ("folds", "groups", "says"),
    [
        (5, 4, r"4 different values of 'lab' cannot be divided into 5 folds.*Use 4 folds or fewer, or more data, or"),
        (5, 3, r"3 different values of 'lab' cannot be divided into 5 folds.*Use 3 folds, or more data"),
        (5, 2, r"2 different values of 'lab' cannot be divided into 5 folds.*Fix: Use more data"),
        (2, 2, r"one group, .*different values of 'lab'.*or more folds"),
    ],
)
def test_too_few_groups_for_the_folds_are_counted(folds, groups, says):
    graphs, symmetry = _few()
    cells = {str(one): "abcd"[k % groups] for k, one in enumerate(graphs.ids)}
    data = SplitInput(graphs, (), lambda: symmetry, cast("ReadColumn", {"lab": cells}.get))
    with pytest.raises(DataError) as error:
        assign_parts(DataConfig(split=f"kfold:{folds}/1:column:lab"), data)
    found = f"{error.value.what} {error.value.why} Fix: {error.value.fix}"
    assert re.search(says, found), found


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (("train", "val"), r"'split' says the part.*train \(6\), val \(6\).*a CSV: --split file:SPLIT\.csv"),
        (("Training", "Validation", "Test"), r"Training \(4\), Validation \(4\), Test \(4\).*could be the test part"),
        (
            ("train", "val", "other"),
            r"train \(4\), val \(4\), other \(4\).*a CSV, without those of other: --split file",
        ),
    ],
)
@pytest.mark.parametrize("split", ["column:split", "kfold:2/1:column:split", "column:split+composition"])
def test_a_column_of_the_parts_of_a_published_split_is_pointed_to_files(values, says, split):
    graphs, symmetry = _few()
    cells = {str(one): values[k % len(values)] for k, one in enumerate(graphs.ids)}
    column = cast("ReadColumn", {"split": cells}.get)
    with pytest.raises(DataError, match=says):
        assign_parts(DataConfig(split=split), SplitInput(graphs, (), lambda: symmetry, column))


def test_a_column_groups_crystals_and_those_without_a_cell_are_alone():
    graphs, symmetry = _few()
    cells = {f"mp-{k}": "abc"[k % 3] for k in range(9)}
    column = cast("ReadColumn", {"lab": cells}.get)
    data = SplitInput(graphs, (), lambda: symmetry, column)
    keys = GroupKeys(graphs, lambda: symmetry, column).of(["column:lab"])
    assert keys[:4] == ["a", "b", "c", "a"]
    assert len(set(keys)) == 3 + 3
    parts = _rows(assign_parts(DataConfig(split="column:lab"), data).split)
    assert sum(len({keys[k] for k in part}) for part in parts) == 6


@pytest.mark.parametrize("cells", [{}, {"mp-0": "", "mp-1": ""}])
def test_a_column_without_a_value_groups_nothing_and_is_refused(cells):
    graphs, symmetry = _few()
    column = cast("ReadColumn", {"lab": cells}.get)
    with pytest.raises(DataError, match="'lab' is empty"):
        GroupKeys(graphs, lambda: symmetry, column).of(["composition", "column:lab"])
