"""phase2 on a terminal of some width."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios


def on_terminal(words, columns, **variables):
    """Run phase2 on a terminal, and return what it wrote, without the sequences that move and colour."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = os.environ | variables | {"TERM": "xterm-256color"}
    environment = {name: value for name, value in environment.items() if name not in {"COLUMNS", "LINES"}}
    command = [sys.executable, "-m", "phase2", *words]
    process = subprocess.Popen(command, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 65536):
            shown += chunk
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    assert process.wait() == 0
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode()).replace("\r", "\n")
