"""Names of splits: every form is understood, and a wrong one is refused with the nearest."""

import pytest

from phase2.config.data.splits import FORMS, parse_split
from phase2.errors import RequestError, UnknownNameError


@pytest.mark.parametrize("text", FORMS)
def test_every_form_is_a_name(text):
    assert parse_split(text).text == text


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("compostion", "Did you mean 'composition'?"),
        ("kflod:5/1", "Did you mean 'kfold:5/1'?"),
        ("prototype+chemsis", "Did you mean 'chemsys'?"),
        ("kfold:5/1:compositon", "Did you mean 'composition'?"),
        ("kfold:5/1:colum:lab", "Did you mean 'column:NAME'?"),
        ("kfold:5/1:element:Li", "another split: --split element:Li."),
        ("stratified+chemsys", "another split: --split stratified."),
        ("kfold:5/1:sites", "Use one of these."),
        ("matbench:fold_7", "fold_"),
        ("element:Xx", "element:Li"),
    ],
)
def test_a_wrong_name_is_refused_with_the_nearest(text, fix):
    with pytest.raises(UnknownNameError, match=None) as error:
        parse_split(text)
    assert fix in error.value.fix


@pytest.mark.parametrize("text", ["kfold:5/1:element:Li", "stratified+chemsys", "composition+spacegruop"])
def test_where_a_group_alone_can_stand_the_groups_are_named(text):
    with pytest.raises(UnknownNameError, match="Unknown group") as error:
        parse_split(text)
    assert error.value.why.endswith("alone: composition, chemsys, spacegroup, prototype, column:NAME.")


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("kfold:5/6", "kfold:5/5"),
        ("kfold:5/0", "kfold:5/1"),
        ("kfold:5", "kfold:5/1"),
        ("kfold:1/1", "2 to 100"),
        ("element:li", "element:Li"),
        ("file:", "file:split.json"),
        ("x" * 2000, "1000 characters"),
    ],
)
def test_what_follows_the_colon_is_checked(text, fix):
    with pytest.raises(RequestError) as error:
        parse_split(text)
    assert fix in error.value.fix
