"""A small finished run that the commands' tests share."""

import json

import pytest

from phase2.cli import main


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    """One graph store for all commands, in this process and in those it starts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHASE2_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def models(cache, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    words = ["--algorithm", "cgcnn", "--level", "smoke", "--max-samples", "60", "--epochs", "2"]
    assert main(["train", *words, "--output", str(folder)]) == 0
    return folder


@pytest.fixture
def say(capsys):
    """Run a command; returns exit code, standard output (parsed when it is JSON) and standard error."""

    def run_command(*words):
        code = main([str(word) for word in words])
        printed = capsys.readouterr()
        return code, json.loads(printed.out) if "--json" in words and printed.out else printed.out, printed.err

    return run_command
