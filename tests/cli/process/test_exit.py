"""A command's process exits like any other, without interpreter teardown."""

import os
import subprocess
import sys

COMMAND = """
import atexit
import sys
import threading
import time

from phase2.cli.process.exit import run_and_exit


class Kept:
    def __del__(self):
        sys.stderr.write("taken apart")


kept = Kept()


def late():
    time.sleep(0.3)
    print("thread")


def command():
    atexit.register(print, "registered")
    threading.Thread(target=late).start()
    print("command")
    {}
    return 7


run_and_exit(command)
"""


def run(words="", **streams):
    words = [sys.executable, "-c", COMMAND.format(words)]
    return subprocess.run(words, **({"capture_output": True} | streams), text=True, timeout=30, check=False)


def test_threads_end_and_output_is_flushed_before_the_process_exits_with_its_code():
    done = run()
    assert (done.returncode, done.stdout.splitlines()) == (7, ["command", "thread", "registered"])
    assert done.stderr == ""


def test_an_exception_of_the_command_is_reported():
    done = run("raise ValueError('unforeseen')")
    assert done.returncode == 1
    assert done.stderr.endswith("ValueError: unforeseen\n")
    assert "registered" in done.stdout


def test_a_closed_pipe_changes_nothing():
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe:
        done = run(capture_output=False, stdout=pipe, stderr=subprocess.PIPE, env=os.environ | {"PYTHONUNBUFFERED": ""})
    assert (done.returncode, done.stderr) == (7, "")
