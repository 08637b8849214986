"""The page of the exit codes: what each means, what raises it, and whether a retry makes sense."""

from __future__ import annotations

import signal
from collections.abc import Iterator

from phase2.cli.process.boundary import INTERRUPTED
from phase2.errors import Phase2Error
from phase2.runs.report.markdown import markup_table

_MEANINGS = {
    0: ("All that was asked for is done.", "-"),
    1: ("A callback of yours failed, or phase2 has a defect.", "no"),
    2: ("The request is wrong: command, option, setting, environment variable or configuration.", "no"),
    3: ("The data are wrong, damaged or insufficient.", "no"),
    4: ("A checkpoint or model file cannot be used.", "no"),
    75: ("A network or a service does not respond, or a disk is full.", "yes"),
    INTERRUPTED: ("Interrupted by Ctrl-C outside of a training.", "yes"),
    141: ("The reader of a pipe has gone, as with `| head`.", "-"),
    143: ("Stopped by SIGTERM or, in a training, by Ctrl-C; the state is saved.", "yes"),
}


def exit_codes_page() -> str:
    """Return the page.

    Raises:
        ValueError: An error has an exit code without a meaning here.
    """
    classes: dict[int, list[str]] = {}
    for error in _errors(Phase2Error):
        classes.setdefault(error.exit_code, []).append(f"`{error.__name__}`")
    if unknown := classes.keys() - _MEANINGS:
        raise ValueError(f"tools/reference/exit_codes.py does not say what the exit codes {sorted(unknown)} mean.")
    rows = [
        (str(code), meaning, retry, ", ".join(classes.get(code, ())))
        for code, (meaning, retry) in sorted(_MEANINGS.items())
    ]
    return _PAGE.format(
        codes=markup_table(("exit code", "meaning", "again?", "errors"), rows),
        interrupted=INTERRUPTED,
        sigint=signal.SIGINT.value,
    )


def _errors(error: type[Phase2Error]) -> Iterator[type[Phase2Error]]:
    yield error
    for child in error.__subclasses__():
        if child.__module__ == Phase2Error.__module__:  # those of other modules inherit the code of one of these
            yield from _errors(child)


_PAGE = """\
# Exit codes

Every command ends with one of these, and prints what happened, why, and how to fix it. Only the codes for which the
same command is worth another try lead to one: a Job of `phase2 submit` and the workflows end at once with 2, 3 and 4.

{codes}

{interrupted} is 128 + {sigint}, and 143 is 128 + 15, as shells count signals (141 is a closed pipe's). A process that
the kernel killed (137: no memory was left, or a node went away) had no time to say anything; its run is resumed all the
same.

`phase2 predict` and `phase2 embed` write every row that can be written and then end with 3 when some structure could
not be used. `phase2 doctor` ends with the code of the first problem that has to be put right, with 75 where all
problems may pass by themselves, and with 0 where there is none. From Python the same errors are exceptions, below
`phase2.Phase2Error`.
"""
