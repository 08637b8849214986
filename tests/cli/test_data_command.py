"""``phase2 data``: the data sets, and what they contain."""

from phase2.cli import main


def test_named_data_sets_are_listed_with_their_state(cache, capsys):
    assert main(["data", "list"]) == 0
    printed = capsys.readouterr().out
    assert "included" in printed
    assert "not downloaded (41 MB)" in printed


def test_a_data_set_is_described_property_by_property(cache, capsys):
    assert main(["data", "describe"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    counts = {words[0]: words[2] for words in lines if len(words) == 6}
    assert counts["formation_energy"] == counts["ehull"] == "3938"
    assert counts["spillage"] == "0"


def test_a_prepared_data_set_is_found_ready(cache, capsys):
    assert main(["data", "prepare"]) == 0
    first = capsys.readouterr().out.rpartition(" ")[2]
    assert main(["data", "prepare", "--workers", "2"]) == 0
    assert capsys.readouterr().out.rpartition(" ")[2] == first


def test_unknown_data_sets_offer_the_nearest(cache, capsys):
    assert main(["data", "describe", "--data", "jarvis-dft3"]) == 2
    assert "Did you mean 'jarvis-dft3d'?" in capsys.readouterr().err
    assert main(["data", "prepare", "--data", "./nothing.json"]) == 3
    assert main(["data", "fetch", "samples"]) == 2


def test_the_sample_needs_no_fetching(cache, capsys):
    assert main(["data", "fetch", "sample"]) == 0
