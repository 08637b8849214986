"""Pictures of the documentation: which are no longer what the code draws."""

import dataclasses

import pytest

from tools.generated import ROOT
from tools.pictures.picture import Picture
from tools.pictures.record import Drawn, problems, recorded, sha256
from tools.pictures.registry import PICTURES


@pytest.fixture
def source():
    """A Python file of the repository's kind that draws."""
    file = ROOT / "build" / "test-pictures" / "draws.py"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("COLOUR = 1\n")
    yield file
    file.unlink()


@pytest.fixture
def picture(source):
    return Picture("a.png", "A", (source.relative_to(ROOT).as_posix(),), lambda run, target: target.touch())


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.png").write_bytes(b"picture")
    return tmp_path


@pytest.fixture
def drawn(picture, folder):
    return {"a.png": Drawn("A", "a run", "0.1.0", picture.digest(), sha256(folder / "a.png"))}


def test_the_pictures_are_current():
    assert list(problems(PICTURES, recorded())) == []


def test_what_was_drawn_by_this_code_is_current(picture, drawn, folder):
    assert list(problems([picture], drawn, folder)) == []


def test_comments_and_layout_draw_nothing(picture, drawn, folder, source):
    source.write_text('"""A docstring."""\n\nCOLOUR = 1  # of the line\n')
    assert list(problems([picture], drawn, folder)) == []


def test_other_code_makes_a_picture_stale(picture, drawn, folder, source):
    source.write_text("COLOUR = 2\n")
    assert "other code" in next(problems([picture], drawn, folder))


def test_a_file_that_was_changed_by_hand_is_noticed(picture, drawn, folder):
    (folder / "a.png").write_bytes(b"other")
    assert "not the file" in next(problems([picture], drawn, folder))


def test_a_file_that_nothing_draws_is_noticed(picture, drawn, folder):
    (folder / "b.svg").touch()
    assert "b.svg is drawn by nothing" in next(problems([picture], drawn, folder))


def test_a_picture_that_is_not_drawn_yet_is_noticed(picture, folder):
    assert "not been drawn yet" in next(problems([picture], {}, folder))


def test_a_source_that_is_gone_is_an_error(picture):
    gone = dataclasses.replace(picture, sources=("src/phase2/none.py",))
    with pytest.raises(FileNotFoundError, match="none"):
        gone.digest()
