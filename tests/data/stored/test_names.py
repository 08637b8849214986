"""Names of data sets: pointers with a history, which nobody takes from another."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from phase2.data.stored.manifest import DataMissingError
from phase2.data.stored.names import (
    NameTakenError,
    all_names,
    current_entry,
    history_of,
    name_data,
    remove_name,
    set_name,
)
from phase2.errors import DataError, RequestError

A, B = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"


def test_a_name_points_to_one_data_set_and_is_replaced_only_where_that_is_said(store):
    assert set_name(store, "mine", A)
    assert not set_name(store, "mine", A)
    with pytest.raises(NameTakenError, match="--replace"):
        set_name(store, "mine", B)
    assert set_name(store, "mine", B, replace=True)
    assert [entry.address for entry in history_of(store, "mine")] == [A, B]
    assert {name: entry.address for name, entry in all_names(store).items()} == {"mine": B}
    remove_name(store, "mine")
    assert current_entry(store, "mine") is None


def test_of_several_who_take_a_name_one_has_it(store):
    def take(address):
        try:
            return set_name(store, "mine", address)
        except NameTakenError:
            return None

    addresses = [f"sha256:{k:064x}" for k in range(8)]
    with ThreadPoolExecutor(8) as pool:
        assert sorted(map(str, pool.map(take, addresses))) == ["None"] * 7 + ["True"]
    assert len(history_of(store, "mine")) == 1


def test_concurrent_replacements_are_all_in_the_history(store):
    addresses = [f"sha256:{k:064x}" for k in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda one: set_name(store, "mine", one, replace=True), addresses))
    assert sorted(entry.address for entry in history_of(store, "mine")) == addresses


@pytest.mark.parametrize("name", ["sample", "a/b", "", "../x", "a.b", "-a", "x" * 64, "sha256:ab", "ö"])
def test_what_could_be_another_address_is_no_name(store, name):
    with pytest.raises(RequestError, match="cannot be the name"):
        set_name(store, name, A)


def test_a_damaged_entry_is_named(store):
    set_name(store, "mine", A)
    store.put("data/names/mine/000002.json", store.read("data/names/mine/000001.json"))
    with pytest.raises(DataError, match="of another name"):
        current_entry(store, "mine")
    store.put("data/names/mine/000002.json", b"{")
    with pytest.raises(DataError, match="damaged"):
        current_entry(store, "mine")


def test_a_name_needs_a_data_set(store):
    with pytest.raises(DataMissingError):
        name_data(store, "mine", A)
    assert current_entry(store, "mine") is None
