"""Filters of runs, and the ages and times they are given as."""

from datetime import UTC, datetime

import pytest

from phase2.errors import RequestError, UnknownNameError
from phase2.runs.catalog.filter import RunFilter, parse_age, parse_time
from phase2.runs.catalog.index import list_runs
from phase2.storage.urls import open_store

NAMES = [f"run_20260101T00000{i}Z_0000{i}" for i in (1, 2, 3)]


def test_a_filter_accepts_matching_runs(make_run, tmp_path):
    make_run(tmp_path, NAMES[0], after=0)
    make_run(tmp_path, NAMES[1], after=60, family="multitask_lite_e3nn", algorithm="e3nn", mode="lite")
    make_run(tmp_path, NAMES[2], after=120, status="failed", properties=("band_gap",))
    runs = list_runs(open_store(str(tmp_path)))

    def passing(**wanted):
        return sorted(run.run_id for run in runs if RunFilter(**wanted).passes(run))

    noon = datetime(2026, 11, 24, 10, tzinfo=UTC)
    assert passing() == ["00001", "00002", "00003"]
    assert passing(algorithm="e3nn") == passing(mode="lite") == passing(family="multitask_lite_e3nn") == ["00002"]
    assert passing(status="failed") == ["00003"]
    assert passing(property="formation_energy") == ["00001", "00002"]
    assert passing(since=noon) == ["00002", "00003"]
    assert passing(until=noon) == ["00001"]
    assert passing(algorithm="cgcnn", status="finished") == ["00001"]


@pytest.mark.parametrize("wanted", [{"algorithm": "cgcn"}, {"mode": "lit"}, {"status": "done"}, {"property": "Gap"}])
def test_a_filter_with_an_unknown_name_is_refused(wanted):
    with pytest.raises(UnknownNameError):
        RunFilter(**wanted)


def test_ages_and_times():
    assert parse_age("48h") == parse_age("2d")
    assert parse_age("2w") == parse_age("14d")
    assert parse_time("2026-11-24") == datetime(2026, 11, 24, tzinfo=UTC)
    assert parse_time("2026-11-24T12:00+02:00") == datetime(2026, 11, 24, 10, tzinfo=UTC)
    assert abs(datetime.now(UTC) - parse_time("7d") - parse_age("7d")).total_seconds() < 5
    for text in ("soon", "30", "d", "-1d", "", "2026-13-01"):
        with pytest.raises(RequestError):
            parse_time(text)
        with pytest.raises(RequestError):
            parse_age(text)
