"""``phase2 runs`` and ``phase2 pull`` as commands."""

import json
import re
import shutil

import pytest
from tests.cli.terminal import on_terminal


@pytest.fixture
def output(models, tmp_path):
    """A separate models folder with the finished run that the tests share."""
    shutil.copytree(models, tmp_path / "models")
    return tmp_path / "models"


@pytest.fixture
def run(output):
    (found,) = output.glob("*/run_*")
    return found


def test_list_show_and_best_know_the_run(say, output, run):
    run_id = run.name.rsplit("_", 1)[1]
    code, listed, _ = say("runs", "list", "--store", output, "--json")
    assert code == 0
    assert [entry["prefix"] for entry in listed] == [f"multitask_cgcnn/{run.name}"]
    for command in (["list"], ["best"], ["best", "--by", "band_gap"], ["show", run_id], ["show", "best"]):
        code, printed, _ = say("runs", *command, "--store", output)
        assert code == 0
        assert run_id in printed
    assert say("runs", "list", "--store", output, "--algorithm", "e3nn", "--json")[1] == []
    assert say("runs", "list", "--store", output, "--since", "1h", "--level", "smoke", "--json")[1] == listed
    _, manifest, _ = say("runs", "show", run_id, "--store", output, "--json")
    assert manifest == json.loads((run / "run_manifest.json").read_text())


def test_a_run_under_another_name_is_noted_with_its_own(say, output, run):
    copy = run.with_name("my-copy")
    shutil.copytree(run, copy)
    code, listed, said = say("runs", "list", "--store", output, "--json")
    assert (code, [entry["prefix"] for entry in listed]) == (0, [f"multitask_cgcnn/{run.name}"])
    assert f"{copy}: a copy of multitask_cgcnn/run_" in said
    shutil.rmtree(run)
    code, listed, said = say("runs", "list", "--store", output, "--json")
    assert (code, listed) == (0, [])
    (move,) = (line.split() for line in said.splitlines() if line.startswith("  mv "))
    assert move[1] == str(copy)
    code, _, refused = say("runs", "show", f"{copy}/")
    assert code == 2
    assert "/".join(move[2].split("/")[-2:]) in refused
    shutil.move(move[1], move[2])
    assert say("runs", "list", "--store", output, "--json")[1][0]["run_id"] == run.name.rpartition("_")[2]


def test_a_narrow_terminal_has_fewer_columns_rather_than_broken_cells(output, run):
    run_id = run.name.rsplit("_", 1)[1]

    def listed(columns, *words):
        lines = on_terminal(["runs", "list", "--store", str(output), *words], columns).splitlines()
        (row,) = (line for line in lines if run_id in line)
        return row.split(), " ".join(lines)

    row, text = listed(90)
    assert {"finished", "sample"} <= set(row)
    assert "multitask_cgcnn" not in row
    assert re.search(r"no room for: family(, \w+)* \(--columns", text)
    row, text = listed(300)
    assert "multitask_cgcnn" in row
    assert "no room" not in text
    row, text = listed(90, "--columns", "run,family")
    assert row == [run_id, "multitask_cgcnn"]
    assert "no room" not in text


def test_published_pulled_verified_compared_and_deleted(say, output, run, tmp_path, monkeypatch):
    store = tmp_path / "store"
    code, first, _ = say("runs", "publish", "latest", "--models", output, "--store", store, "--json")
    assert (code, first["already"]) == (0, False)
    code, again, _ = say("runs", "publish", run, "--store", store, "--json")
    assert (code, again["already"], again["url"]) == (0, True, first["url"])

    monkeypatch.setenv("PHASE2_STORE", str(store))
    code, result, _ = say("runs", "verify", "latest", "--json")
    assert (code, result["intact"]) == (0, True)
    code, pulled, _ = say("pull", "best", "--to", tmp_path / "here", "--json")
    assert code == 0
    (folder,) = pulled["paths"]
    assert sorted(p.name for p in (tmp_path / "here").glob("*/*/*")) == sorted(
        p.name for p in run.iterdir() if not p.name.startswith(".")
    )
    code, printed, _ = say("pull", run.name, "--to", tmp_path / "one", "--only", "best.pt")
    assert code == 0
    assert printed.strip().endswith("best.pt")

    assert say("runs", "delete", "latest")[0] == 2  # nobody is there to be asked
    code, removed, _ = say("runs", "delete", "latest", "--yes", "--json")
    assert (code, removed) == (0, {"removed": [f"multitask_cgcnn/{run.name}"]})
    assert say("runs", "list", "--json")[1] == []
    assert (tmp_path / "here").exists()
    assert folder


def test_leftovers_of_a_killed_publisher_can_be_deleted(say, tmp_path):
    left = tmp_path / "store" / "multitask_cgcnn" / "run_20260101T000000Z_x"
    left.mkdir(parents=True)
    (left / "best.pt").write_bytes(b"w")
    (left / ".publishing").write_bytes(b"digest")
    name = "multitask_cgcnn/run_20260101T000000Z_x"
    assert say("runs", "list", "--store", tmp_path / "store", "--json")[1] == []
    assert say("runs", "delete", name, "--yes", "--store", tmp_path / "store")[0] == 0
    assert not left.exists()


def test_compare_shows_runs_in_columns(say, output, run):
    twin = run.with_name(f"{run.name}b")
    shutil.copytree(run, twin)
    code, rows, _ = say("runs", "compare", run.name, twin.name, "--store", output, "--json")
    assert code == 0
    for row in rows:
        first, second = row["values"].values()
        assert first == second
    assert {"score", "mae"} <= {row["measure"] for row in rows}
    code, printed, _ = say("runs", "compare", run.name, twin.name, "--store", output)
    assert code == 0
    assert "band_gap" in printed
    assert say("runs", "compare", run.name, "--store", output)[0] == 2


def test_verify_names_the_damage_and_exits_with_3(say, output, run):
    (run / "best.pt").write_bytes(b"not a model")
    (run / "HANDOFF.md").unlink()
    (run / "notes.txt").write_text("mine")
    code, result, error = say("runs", "verify", "latest", "--store", output, "--json")
    assert code == 3
    assert (result["missing"], result["damaged"], result["extra"]) == (["HANDOFF.md"], ["best.pt"], ["notes.txt"])
    assert "not whole" in error
    code, printed, _ = say("runs", "verify", "latest", "--store", output)
    assert code == 3
    assert "damaged: best.pt" in printed


def test_prune_dry_run_lists_what_prune_deletes(say, output, run):
    prefix = f"multitask_cgcnn/{run.name}"
    assert say("runs", "prune", "--store", output)[0] == 2
    assert say("runs", "prune", "--older-than", "soon", "--store", output)[0] == 2
    kept = say("runs", "prune", "--keep-best", 1, "--older-than", "0h", "--yes", "--json", "--store", output)
    assert kept[1]["removed"] == []
    code, planned, _ = say("runs", "prune", "--older-than", "0h", "--dry-run", "--json", "--store", output)
    assert (code, planned) == (0, {"dry_run": True, "removed": [prefix]})
    assert run.exists()
    code, done, _ = say("runs", "prune", "--older-than", "0h", "--yes", "--json", "--store", output)
    assert (code, done) == (0, {"dry_run": False, "removed": [prefix]})
    assert not run.exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["runs", "show", "nosuch"], "There is no run 'nosuch'"),
        (["runs", "list", "--algorithm", "cgcn"], "Did you mean 'cgcnn'?"),
        (["runs", "list", "--since", "yesterday"], "not a date"),
        (["runs", "best", "--by", "bandgap"], "Did you mean 'band_gap'?"),
        (["pull", "latest", "--only", "bset.pt"], "Did you mean 'best.pt'?"),
        (["runs", "compare", "latest"], "A comparison needs two runs or more"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_bad_request_exits_with_2_and_says_why(say, output, words, says):
    code, printed, error = say(*words, "--store", output)
    assert code == 2
    assert not printed
    assert says in error


def test_a_run_is_named_by_its_path_and_address(say, output, run, tmp_path, monkeypatch):
    monkeypatch.setenv("PHASE2_STORE", str(tmp_path / "elsewhere"))  # which is not there, and not asked
    address = run.as_uri()
    for words in (
        ["runs", "show"],
        ["runs", "verify"],
        ["report", "--output", tmp_path / "r.html"],
        ["watch", "--plain"],
    ):
        for name in (f"{run}/", address):
            code, printed, error = say(*words, name)
            assert (code, bool(printed)) == (0, True), error
    code, _, error = say("runs", "compare", run, address)
    assert code == 0, error
    code, printed, _ = say("pull", address, "--to", tmp_path / "pulled")
    pulled = tmp_path / "pulled" / run.parent.name / run.name
    assert (code, printed.strip()) == (0, str(pulled))
    code, rows, _ = say("runs", "compare", run, pulled, "--json")
    assert list(rows[0]["values"]) == [address, pulled.as_uri()]
    for words in (
        ["runs", "compare", "latest", pulled],
        ["report", "latest", pulled, "--output", tmp_path / "two.html"],
    ):
        assert say(*words, "--store", output)[0] == 0
    code, _, error = say("runs", "show", pulled, "--store", output)
    assert code == 2
    assert "Leave out --store" in error
    code, _, error = say("watch", "--plain", run, pulled)
    assert code == 2
    assert "several stores" in error
    assert say("runs", "delete", pulled, "--yes")[0] == 0
    assert not pulled.exists()
    assert run.exists()


def test_training_publishes_to_the_named_store(say, cache, tmp_path):
    words = ["--algorithm", "cgcnn", "--level", "smoke", "--max-samples", "60", "--epochs", "1"]
    store = tmp_path / "store"
    code, _, error = say("train", *words, "--output", tmp_path / "models", "--store", store)
    assert code == 0
    assert "published: " in error
    code, result, _ = say("runs", "verify", "latest", "--store", store, "--json")
    assert (code, result["intact"], result["extra"]) == (0, True, [])


def test_an_invalid_store_is_refused_before_training(say, cache, tmp_path):
    code, _, error = say("train", "--level", "smoke", "--output", tmp_path / "models", "--store", "ftp://nowhere/x")
    assert code == 2
    assert "ftp" in error
    assert not (tmp_path / "models").exists()


def test_a_folder_that_is_no_run_is_not_deleted(say, tmp_path):
    (tmp_path / "docs" / "important").mkdir(parents=True)
    (tmp_path / "docs" / "important" / "page.md").write_text("mine")
    for name in ("docs/important", "docs", "important", "../docs", "", "/", str(tmp_path / "docs")):
        code, _, error = say("runs", "delete", name, "--yes", "--store", tmp_path)
        assert code == 2, name
        assert "There is no run" in error
    assert (tmp_path / "docs" / "important" / "page.md").exists()


def test_several_runs_are_deleted_and_none_where_one_may_not_be(say, output, run):
    twins = [make_twin(run, f"20200101T00000{k}Z", f"twin{k}") for k in range(2)]
    liar = run.with_name("run_20200101T000009Z_liar")
    shutil.copytree(run, liar)
    for wrong in ("liar", "nothing", "twin"):
        assert say("runs", "delete", "twin0", wrong, "twin1", "--yes", "--store", output)[0] in {2, 4}, wrong
        assert all(twin.exists() for twin in twins)
    code, _, error = say("runs", "delete", "twin0", "twin1", "--store", output)  # nobody is there to be asked
    assert code == 2
    assert all(f"multitask_cgcnn/{twin.name}" in error for twin in twins)
    code, done, _ = say("runs", "delete", "twin0", twins[1], twins[0], "--yes", "--json", "--store", output)
    assert (code, done["removed"]) == (0, [f"multitask_cgcnn/{twin.name}" for twin in twins])
    assert [path.name for path in sorted(output.glob("*/run_*"))] == sorted([run.name, liar.name])


def make_twin(run, time, run_id):
    """Copy a run under another id, in its name and its records."""
    twin = run.with_name(f"run_{time}_{run_id}")
    shutil.copytree(run, twin)
    for name in ("run_manifest.json", "run_config.json"):
        record = json.loads((twin / name).read_text())
        (twin / name).write_text(json.dumps({**record, "run_id": run_id}))
    return twin


def test_a_damaged_id_is_named_and_the_deletes_finish(say, output, run, tmp_path):
    store = tmp_path / "store"
    assert say("runs", "publish", run, "--store", store)[0] == 0
    (claim,) = (store / ".ids").iterdir()
    claim.write_bytes(b"\xff" * 5000)
    twin_code, printed, error = say("runs", "delete", run.name, "--yes", "--json", "--store", store)
    assert (twin_code, printed) == (4, {"removed": [f"multitask_cgcnn/{run.name}"]})
    assert f".ids/{claim.name}" in error
    assert not (store / "multitask_cgcnn").exists()
    code, _, error = say("runs", "publish", run, "--store", store)
    assert code == 4
    assert f".ids/{claim.name}" in error


def test_prune_deletes_what_it_may_and_names_what_it_may_not(say, output, run):
    liar = run.with_name("run_20200101T000000Z_liar")
    shutil.copytree(run, liar)
    code, done, error = say("runs", "prune", "--older-than", "0h", "--yes", "--json", "--store", output)
    assert (code, done["removed"]) == (4, [f"multitask_cgcnn/{run.name}"])
    assert "run_20200101T000000Z_liar" in error
    assert liar.exists()
    assert not run.exists()
