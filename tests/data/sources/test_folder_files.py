"""Which file a row of a table means, and which files of a folder are left out."""

import os
import shutil
import unicodedata
from pathlib import Path

import pytest

from phase2.data.crystals.listing import left_out_notes, list_files
from phase2.data.sources.folder import FolderSource
from phase2.errors import InvalidCrystalError

POSCAR = "{0}\n1.0\n5 0 0\n0 5 0\n0 0 5\n{0} Cl\n1 1\nDirect\n0 0 0\n0.5 0.5 0.5\n"


@pytest.fixture
def folder(tmp_path):
    found = tmp_path / "data"
    (found / "deep").mkdir(parents=True)
    for name, element in (("Na.vasp", "Na"), ("K.vasp", "K"), ("deep/Rb.vasp", "Rb"), ("M\u00fcller.vasp", "Li")):
        (found / name).write_text(POSCAR.format(element))
    return found


def crystals(folder, column, *names):
    """Return the formula of each row, or the reason why there is none."""
    rows = "".join(f'"{name}",{k}\n' for k, name in enumerate(names))
    (folder / "targets.csv").write_text(f"{column},band_gap\n{rows}", encoding="utf-8")
    source = FolderSource(folder)
    found = {}
    for raw in source.records():
        try:
            found[raw.id] = source.parse(raw).crystal.formula
        except InvalidCrystalError as error:
            found[raw.id] = str(error)
    return found


@pytest.mark.parametrize("column", ["file", "id"])
@pytest.mark.parametrize(
    "name",
    ["Na", "Na.vasp", "./Na.vasp", "deep/../Na.vasp", ".//Na", "deep/../Na"],
)  # fmt: skip
def test_a_file_is_found_with_and_without_its_suffix(folder, column, name):
    (formula,) = crystals(folder, column, name).values()
    assert formula == "ClNa"


@pytest.mark.parametrize("name", ["deep\\Rb.vasp", "deep/Rb", "deep/Rb.vasp"])
def test_folders_may_be_written_as_on_windows(folder, name):
    (formula,) = crystals(folder, "file", name).values()
    assert formula == "ClRb"


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_are_equal_however_their_letters_are_composed(folder, form):
    name = unicodedata.normalize(form, "M\u00fcller")
    assert list(crystals(folder, "file", name).values()) == ["ClLi"]
    assert list(crystals(folder, "file", f"{name}.vasp").values()) == ["ClLi"]


@pytest.mark.parametrize(("name", "hint"), [("na.vasp", "Na.vasp"), ("Rb", "deep/Rb.vasp"), ("Nq.vasp", "Na.vasp")])
def test_a_name_that_is_nearly_there_is_told(folder, name, hint):
    (reason,) = crystals(folder, "file", name).values()
    assert f"There is {hint}." in reason


def test_two_files_of_one_name_are_not_chosen_from(folder):
    (folder / "Na.cif").write_text("data_x\n")
    (reason,) = crystals(folder, "id", "Na").values()
    assert "may be Na.cif, Na.vasp" in reason
    assert list(crystals(folder, "file", "Na.vasp").values()) == ["ClNa"]


@pytest.mark.parametrize("name", ["../data/Na.vasp", "deep/../../Na.vasp", "/etc/hostname", "..", "../Na"])
def test_a_path_in_a_table_leads_out_of_no_folder(folder, name):
    shutil.copy(folder / "Na.vasp", folder.parent / "Na.vasp")
    (reason,) = crystals(folder, "file", name).values()
    assert "outside the folder" in reason


def test_a_path_does_not_lead_out_by_a_link_and_up(folder, tmp_path):
    outside = tmp_path / "other" / "inner"
    outside.mkdir(parents=True)
    (outside.parent / "secret.vasp").write_text(POSCAR.format("Cs"))
    (folder / "link").symlink_to(outside)
    (reason,) = crystals(folder, "file", "link/../secret.vasp").values()
    assert "There is no file" in reason


class TestLinks:
    def test_links_to_files_are_read(self, folder, tmp_path):
        linked = tmp_path / "linked"
        linked.mkdir()
        for path in folder.glob("*.vasp"):
            (linked / path.name).symlink_to(path)
        assert crystals(linked, "file", "Na.vasp", "K") == {"Na": "ClNa", "K": "ClK"}

    def test_links_to_folders_are_read(self, folder, tmp_path):
        linked = tmp_path / "linked"
        linked.mkdir()
        (linked / "all").symlink_to(folder)
        assert crystals(linked, "file", "all/Na.vasp", "all/deep/Rb") == {"all/Na": "ClNa", "all/deep/Rb": "ClRb"}

    def test_a_linked_data_set_is_the_same_as_a_folder(self, folder, tmp_path):
        plain = crystals(folder, "file", "Na.vasp", "deep/Rb.vasp")
        before = FolderSource(folder).fingerprint
        (tmp_path / "link").symlink_to(folder)
        assert FolderSource(tmp_path / "link").fingerprint == before
        assert crystals(tmp_path / "link", "file", "Na.vasp", "deep/Rb.vasp") == plain

    def test_content_behind_a_link_is_part_of_the_fingerprint(self, folder, tmp_path):
        outside = tmp_path / "Cs.vasp"
        outside.write_text(POSCAR.format("Cs"))
        (folder / "Cs.vasp").symlink_to(outside)
        crystals(folder, "file", "Cs.vasp")
        before = FolderSource(folder).fingerprint
        outside.write_text(POSCAR.format("Rb"))
        assert FolderSource(folder).fingerprint != before

    def test_links_in_a_circle_end(self, folder):
        (folder / "deep" / "up").symlink_to(folder)
        (folder / "round").symlink_to("deep")
        (folder / "self.vasp").symlink_to("self.vasp")
        (folder / "gone.vasp").symlink_to("nowhere")
        found = list_files(folder)
        assert [path.relative_to(folder).as_posix() for path in found.structures] == [
            "K.vasp", "M\u00fcller.vasp", "Na.vasp", "deep/Rb.vasp",
        ]  # fmt: skip
        assert {one.name: one.why for one in found.left_out} == dict.fromkeys(
            ["gone.vasp", "self.vasp"], "a link that leads nowhere"
        )

    def test_a_folder_without_links_keeps_its_fingerprint(self, folder):
        crystals(folder, "file", "Na.vasp")
        assert not list_files(folder).links
        (folder / "same.vasp").symlink_to("Na.vasp")  # as version 0.1.0 read it
        assert not list_files(folder).links


def test_comments_are_left_out_and_files_of_such_names_are_not(folder):
    (folder / "#1.vasp").write_text(POSCAR.format("Cs"))
    found = crystals(folder, "file", "#1.vasp", "# Na.vasp", "K.vasp")
    assert found == {"#1": "ClCs", "K": "ClK"}


def test_what_is_left_out_is_counted_and_named(folder):
    for name in ("notes.txt", ".hidden", "deep/x.xyzzy"):
        (folder / name).write_text("")
    os.mkfifo(folder / "pipe.vasp")
    crystals(folder, "file", "Na.vasp", "deep/Rb", "../out.vasp")
    assert left_out_notes(FolderSource(folder).left_out()) == [
        "2 files not taken (in no row of the table): K.vasp, M\u00fcller.vasp",
        "3 files not taken (no structure by name): .hidden, deep/x.xyzzy, notes.txt",
        "1 file not taken (no regular file): pipe.vasp",
    ]


def test_of_many_the_first_are_named(folder):
    for k in range(25):
        (folder / f"n{k:02}.txt").write_text("")
    (note,) = left_out_notes(list_files(folder).left_out)
    assert note.startswith("25 files not taken (no structure by name): n00.txt, n01.txt")
    assert note.endswith("n09.txt and 15 more")


def test_a_table_may_end_in_tsv(folder):
    crystals(folder, "file", "Na.vasp")
    (folder / "targets.csv").rename(folder / "targets.tsv")
    (folder / "._targets.csv").write_bytes(b"\0\5\x16\7")  # as macOS leaves them on other disks
    assert len(list(FolderSource(folder).records())) == 1


def test_hostile_names_are_found_in_time(folder):
    for name in ("x" * 300, "a/" * 2_000 + "b", "\0", "~", "con", " "):
        crystals(folder, "file", name)
    assert Path(folder).is_dir()


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ('{"lr": 0.001, "epochs": 20}', False),
        ('[{"id": "a", "band_gap": 1.0}]', False),
        ('{"atoms": {"lattice_mat": []}}', True),
        ('{"columns": ["structure"], "index": [], "data": []}', True),
        ('{"lattice": {}, "sites": []', True),
        ("[[[[", True),
        ("", True),
    ],
)
def test_json_of_something_else_is_left_out_and_named(tmp_path, text, taken):
    (tmp_path / "one.json").write_text(text)
    found = list_files(tmp_path)
    assert [path.name for path in found.structures] == ["one.json"] * taken
    assert left_out_notes(found.left_out) == [] if taken else ["1 file not taken (JSON without a structure): one.json"]


def test_a_large_json_is_taken_without_a_look(tmp_path):
    (tmp_path / "one.json").write_text('{"lr": "' + "1" * 70_000 + '"}')
    assert [path.name for path in list_files(tmp_path).structures] == ["one.json"]
