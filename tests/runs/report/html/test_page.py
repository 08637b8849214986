"""The page as a whole: complete in itself, small, and safe whatever is in it."""

import json
import re
from dataclasses import replace
from functools import partial
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from tests.runs.report.html import conftest

from phase2.cli.app import app
from phase2.cli.process.boundary import run as run_cli
from phase2.config.data.own_properties import PropertyDefinition
from phase2.errors import RequestError
from phase2.properties import KEYS
from phase2.runs.records.manifest import read_manifest
from phase2.runs.report.html.files import files_of_folder
from phase2.runs.report.html.inputs import read_run
from phase2.runs.report.html.page import MOST_RUNS, report, write_report

MOST_BYTES = 3_000_000
HOSTILE = [
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\x1b]0;pwned\x07\u202e",
    '"><svg onload=alert(1)>',
    "https://me:hunter2hunter2@host/a?X-Amz-Signature=hunter2hunter2",
    "__proto__",
]


class Elements(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found, self.data, self._in_data = [], "", False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        self._in_data = tag == "script" and dict(attrs).get("id") == "data-report"

    def handle_data(self, data):
        if self._in_data:
            self.data += data


def read(run):
    return read_run(files_of_folder(run.path))


def test_hostile_names_stay_text(full_run):
    text = report([read(full_run(ids=[f"{HOSTILE[k % len(HOSTILE)]}{k}" for k in range(60)]))])
    page = Elements(text)
    assert {tag for tag, _ in page.found}.isdisjoint({"img", "svg", "iframe", "object"})
    assert not [name for _, attributes in page.found for name in attributes if name.startswith("on")]
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "hunter2" not in text
    ids = json.loads(page.data)["runs"][0]["points"]["test"]["crystals"]["id"]
    assert "</script><script>alert(1)</script>0" in ids
    assert "__proto__5" in ids


def test_a_hostile_origin_or_reason_stays_text(full_run):
    run = full_run()
    manifest = read_manifest(run.manifest)
    attempt = manifest.attempts[0].model_copy(update={"reason": HOSTILE[1], "host": HOSTILE[3]})
    changed = manifest.model_copy(
        update={"attempts": (attempt,), "origins": dict.fromkeys(manifest.origins, HOSTILE[0])}
    )
    page = Elements(report([read_run(files_of_folder(run.path), draft=changed)]))
    assert {tag for tag, _ in page.found}.isdisjoint({"img", "svg"})


def test_one_file_is_no_plural(full_run):
    run = read(full_run())
    manifest = run.manifest.model_copy(update={"artifacts": run.manifest.artifacts[:1]})
    assert "<caption>1 file, " in report([replace(run, manifest=manifest)])


def test_nothing_is_asked_from_anywhere(full_run):
    page = Elements(report([read(full_run())]))
    for tag, attributes in page.found:
        assert not {"src", "srcset", "action", "ping", "poster"} & attributes.keys()
        assert re.match(r"#|data:,", attributes.get("href", "#")), (tag, attributes)
    (policy,) = [each["content"] for _, each in page.found if "http-equiv" in each]
    assert policy.startswith("default-src 'none'")
    assert "connect-src" not in policy


def test_headings_tables_and_controls_have_names(full_run):
    page = Elements(report([read(full_run())]))
    levels = [int(tag[1]) for tag, _ in page.found if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all("scope" in attributes for tag, attributes in page.found if tag == "th")
    plots = [attributes for _, attributes in page.found if "plot" in (attributes.get("class") or "").split()]
    assert plots
    assert all(attributes.get("aria-label") for attributes in plots)


def test_a_large_run_stays_below_three_megabytes_and_says_that_it_samples(full_run):
    text = report([read(full_run(KEYS, 12_000))])
    assert len(text.encode()) < MOST_BYTES
    assert "Not every crystal is drawn" in text


def test_eight_runs_stay_below_three_megabytes_and_nine_are_refused(full_run, tmp_path):
    runs = [read(full_run(KEYS, 3000, name=f"run_20261124T0930{k:02}Z_{k}f1c2a")) for k in range(MOST_RUNS)]
    text = report(runs)
    assert len(text.encode()) < MOST_BYTES
    assert all(one.run_id in text for one in runs)
    with pytest.raises(RequestError, match="9 runs are too many"):
        report([*runs, runs[0]])


def test_curves_and_long_ids_of_eight_runs_stay_below_three_megabytes(full_run, monkeypatch):
    monkeypatch.setattr(conftest, "history_of", partial(conftest.history_of, epochs=500))
    ids = [f"{k}{'x' * 100}" for k in range(1000)]
    names = [f"run_20261124T0930{k:02}Z_{k}f1c2a" for k in range(MOST_RUNS)]
    text = report([read(full_run(KEYS, 1000, ids=ids, name=name)) for name in names])
    assert len(text.encode()) < MOST_BYTES


def test_runs_of_different_data_are_said_to_be(full_run):
    runs = [read(full_run(name=f"run_20261124T09300{k}Z_{k}f1c2a")) for k in range(2)]
    assert "measured on different data" in report(runs, same_data=False)
    assert "measured on different data" not in report(runs)


def test_one_key_that_runs_define_differently_keeps_the_unit_of_each(full_run):
    runs = [own(read(full_run(name=f"run_20261124T09300{k}Z_{k}f1c2a")), unit) for k, unit in enumerate(("meV", "kK"))]
    page = Elements(text := report(runs))
    rows = re.findall(r'<th scope="row">Signed <span class="muted">(\w+)</span></th>\s*<td>.*?mono">(\w+)<', text, re.S)
    assert rows == [("meV", runs[0].run_id), ("kK", runs[1].run_id)]
    (prop,) = json.loads(page.data)["properties"]
    assert (prop["unit"], prop["transform"]) == ("in the units of its runs", "none")


def test_what_the_scripts_draw_is_of_a_property_that_they_know(full_run):
    run = read(full_run())
    definition = PropertyDefinition(key="metal", task="binary")
    data = run.config.data.model_copy(update={"own_properties": (definition,)})
    keys = (*run.manifest.properties, "metal")
    changes = {"config": run.config.model_copy(update={"data": data}), "properties": keys}
    labels = run.crystals.labels | {"metal": run.crystals.labels["bulk_modulus"]}
    with_metal = replace(
        run,
        manifest=run.manifest.model_copy(update=changes),
        crystals=run.crystals.model_copy(update={"labels": labels}),
    )
    page = Elements(text := report([with_metal]))
    content = json.loads(page.data)
    assert {prop["key"]: prop["task"] for prop in content["properties"]} | {"metal": "binary"} == {
        "formation_energy": "regression", "bulk_modulus": "regression", "metal": "binary",
    }  # fmt: skip
    assert content["runs"][0]["labels"].keys() <= {prop["key"] for prop in content["properties"]}
    assert "log loss of metal" in text
    assert '<option value="metal">Metal' not in text


def own(run, unit):
    """The run with its first property as one of its own, of this unit."""
    manifest = run.manifest
    definition = PropertyDefinition(key="signed", unit=unit, transform="asinh" if unit == "meV" else "none")
    data = manifest.config.data.model_copy(update={"own_properties": (definition,)})
    changes = {
        "config": manifest.config.model_copy(update={"data": data}),
        "properties": ("signed",),
        **{part: (getattr(manifest, part)[0].model_copy(update={"key": "signed"}),) for part in ("val", "test")},
    }
    return replace(run, manifest=manifest.model_copy(update=changes), test=None, val=None, crystals=None)


def test_a_report_that_cannot_be_written_costs_no_run(full_run):
    run = full_run()
    said: list[str] = []
    run.report.mkdir()
    write_report(run, read_manifest(run.manifest), said.append)
    assert len(said) == 1
    assert said[0].startswith("No report: ")
    assert "phase2 report" in said[0]


def test_without_jinja_the_run_is_kept_and_the_extra_is_named(full_run, monkeypatch):
    run = full_run()
    said: list[str] = []
    monkeypatch.setattr("phase2.runs.report.html.page.find_spec", lambda _: None)
    write_report(run, read_manifest(run.manifest), said.append)
    assert "phase2[report]" in said[0]
    assert not run.report.exists()


def test_the_command_writes_one_file_for_one_run_or_several(full_run, tmp_path, monkeypatch, capsys):
    first, second = full_run(), full_run(name="run_20261124T093100Z_5f1c2a")
    monkeypatch.chdir(tmp_path)
    assert run_cli(app, ["report"]) == 0  # the latest of the folder `models`
    assert (tmp_path / f"report-{second.run_id}.html").is_file() or (tmp_path / f"report-{first.run_id}.html").is_file()
    words = ["report", first.run_id, str(second.path), "--output", "both/report.html"]
    assert run_cli(app, words) == 0
    assert "2 runs side by side" in (tmp_path / "both" / "report.html").read_text()
    assert "report: both/report.html" in capsys.readouterr().out


def test_a_run_that_is_named_twice_is_shown_once(full_run, tmp_path, monkeypatch):
    run = full_run()
    monkeypatch.chdir(tmp_path)
    assert run_cli(app, ["report", "best", "latest", run.run_id, str(run.path), "--output", "one.html"]) == 0
    assert "side by side" not in (tmp_path / "one.html").read_text()


@pytest.mark.parametrize("name", ["report.html", "more/report.html", "link/report.html"])
def test_the_command_does_not_change_a_sealed_run(full_run, tmp_path, capsys, name):
    run = full_run()
    (tmp_path / "link").symlink_to(run.path)
    target = (tmp_path if name.startswith("link") else run.path) / name
    assert run_cli(app, ["report", str(run.path), "--output", str(target)]) == 2
    assert not target.exists()
    assert not run.report.exists()
    assert "lies in the folder of a finished run" in capsys.readouterr().err
