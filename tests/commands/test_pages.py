"""Commands in the pages: each runs or says why not, and the command line understands it."""

import ast
import re
import shlex
import subprocess
import sys

import pytest

from tools.commands.blocks import REASONS, blocks, problems
from tools.commands.line import misunderstood
from tools.generated import ROOT
from tools.prose import pages

TEXTS = {page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8") for page in pages()}
COMMANDS = sorted(
    {
        (name, command)
        for name, text in TEXTS.items()
        for block in blocks(text)
        for command in [*block.commands, *block.before]
        if block.language == "console"
    }
)
OURS = [(name, command) for name, command in COMMANDS if re.search(r"(?:^|=\S* )phase2 ", command)]
MADE = {
    word
    for _, command in COMMANDS
    if command.startswith("make ")
    for word in shlex.split(command, comments=True)[1:]
    if "=" not in word
}


@pytest.mark.parametrize("name", TEXTS)
def test_every_block_of_commands_runs_or_says_why_not(name):
    assert list(problems(TEXTS[name])) == []


@pytest.mark.parametrize(("name", "command"), OURS)
def test_the_command_line_understands(name, command):
    assert misunderstood(command) is None


def test_there_are_many_commands_and_some_run():
    assert len(OURS) > 80
    run = [name for name, text in TEXTS.items() if any(block.is_run for block in blocks(text))]
    assert {"README.md", "docs/tutorials/ten-minutes.md", "docs/tutorials/your-own-data.md"} < set(run)


def test_every_reason_is_used():
    given = {block.reason for text in TEXTS.values() for block in blocks(text)}
    assert set(REASONS) - given == set()


def test_targets_of_the_makefile_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    assert len(MADE) > 15
    assert targets >= MADE


@pytest.mark.parametrize("name", [name for name, text in TEXTS.items() if "```python" in text])
def test_programs_are_python(name):
    for block in blocks(TEXTS[name]):
        if block.language == "python":
            ast.parse(block.text)


@pytest.mark.parametrize(
    ("command", "wrong"),
    [
        ("phase2 train --levle lite", "No such option: --levle"),
        ("phase2 trian --level lite", "there is no command 'trian'"),
        ("phase2 runs shw latest", "there is no command 'shw'"),
        ("phase2 train --epochs", "requires an argument"),
        ("phase2 doctor here", "one argument too many"),
        ("PHASE2_STORE=s3://a phase2 runs list --bogus | head", "--bogus"),
    ],
)
def test_what_the_command_line_does_not_know_is_noticed(command, wrong):
    assert wrong in (misunderstood(command) or "")


@pytest.mark.parametrize(
    "command",
    [
        "phase2 explain --level max --yaml > run.yaml",
        "phase2 runs list | head -3   # the newest",
        "A=1 B=2 phase2 train ...",
        "phase2 train --set 'data.fractions=[0.8,0.1,0.1]' && phase2 runs list",
    ],
)
def test_what_stands_around_a_command_is_left_aside(command):
    assert misunderstood(command) is None


@pytest.mark.parametrize(
    ("page", "wrong"),
    [
        ("```\nphase2 train\n```", "fence it as console"),
        ("```bash\nkubectl get pods\n```", "fence it as console"),
        ("```console\nphase2 train\n```", "put '$ ' before"),
        ("<!-- not run: no time -->\n```console\n$ phase2 train\n```", "is no reason"),
    ],
)
def test_what_is_written_otherwise_is_noticed(page, wrong):
    (problem,) = problems(page)
    assert wrong in problem


def test_a_comment_is_about_the_block_below_it_alone():
    first, second = blocks(
        "<!-- not run: needs a cluster -->\n\n```console\n$ a \\\n    --b\nprinted\n```\n\n```console\n$ c\n```\n"
    )
    assert (first.commands, first.reason, first.is_run) == (["a --b"], "needs a cluster", False)
    assert (second.commands, second.reason, second.is_run) == (["c"], None, True)


def test_a_comment_is_not_about_a_block_behind_other_text():
    (block,) = blocks("<!-- not run: needs a cluster -->\ntext\n\n```console\n$ c\n```\n")
    assert block.is_run


def test_pages_run_in_order_and_the_first_failure_ends_them(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- run before: echo prepared > note -->\n```console\n$ cat note\nprepared\n```\n\n"
        "```python\nprint('from python')\n```\n\n<!-- not run: takes hours -->\n```console\n$ echo left-out\n```\n\n"
        "```console\n$ test -d docs/examples\n$ echo RUN\n$ false\n$ echo never\n```\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "tools.commands.run", str(page)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    printed = [line for line in done.stdout.splitlines() if not line.startswith((str(page), "    exit"))]
    assert printed[:3] == ["prepared", "from python", "latest"]
    assert "never" not in printed
    assert "left-out" not in printed
