"""Configurations of many runs in one table."""

from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from phase2.runs.page.settings import SettingsTable

VALUES = st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=3) | st.lists(st.integers(0, 2), max_size=2)
CONFIGURATIONS = st.lists(st.dictionaries(st.sampled_from(["a", "b", "c.d"]), VALUES), max_size=8)


@given(CONFIGURATIONS)
def test_they_come_back_as_they_were(configurations):
    assert SettingsTable.encode(configurations).decode() == configurations


@given(CONFIGURATIONS)
def test_a_table_survives_its_file(configurations):
    table = SettingsTable.encode(configurations)
    assert SettingsTable.model_validate_json(table.model_dump_json()).decode() == configurations


def test_null_false_zero_and_absent_are_told_apart():
    different: list[dict[str, JsonValue]] = [{"a": None}, {"a": False}, {"a": 0}, {"a": ""}, {}]
    table = SettingsTable.encode(different)
    assert [list(one.items()) for one in table.decode()] == [list(one.items()) for one in different]
    assert [type(one.get("a")) for one in table.decode()] == [type(one.get("a")) for one in different]


def test_runs_that_are_alike_take_next_to_no_room():
    same = {f"training.setting_{i}": i for i in range(200)}
    table = SettingsTable.encode([same | {"seed": seed} for seed in range(1000)])
    assert sum(map(len, table.differing)) == 999
    assert len(table.model_dump_json()) < 40_000
