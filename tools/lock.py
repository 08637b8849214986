"""Pin every dependency with hashes: constraints/*.txt from pyproject.toml. No index address is written."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# File below constraints/ -> the extras it pins. What is installed with fewer extras takes the versions of `dev`.
SETS = {
    "dev": [
        *("train", "report", "cluster", "notebook", "foundation", "tune"),
        *("tensorboard", "mlflow", "wandb", "hub", "notify", "docs", "dev"),
    ],
    "core": [],
    "train": ["train", "report", "tune"],
    "cluster": ["cluster"],
}


def main() -> None:
    """Write one file per set; arguments (such as --upgrade) go to ``uv pip compile``."""
    for name, extras in SETS.items():
        agreeing = [] if name == "dev" else ["--constraint", "constraints/dev.txt"]
        _compile("pyproject.toml", name, [word for extra in extras for word in ("--extra", extra)] + agreeing)
    for name in ("tools", "compiler"):
        _compile(f"constraints/{name}.in", name, [])
    _compile("constraints/chgnet.in", "chgnet", ["--no-deps"])  # it requires what overwrites a module of nvidia-ml-py


def _compile(source: str, name: str, options: list[str]) -> None:
    command = [
        *(sys.executable, "-m", "uv", "pip", "compile", source, "--quiet", "--universal", "--python-version", "3.11"),
        *("--generate-hashes", "--no-emit-index-url", "--no-annotate", "--custom-compile-command", "make lock"),
        *("--output-file", f"constraints/{name}.txt", *options, *sys.argv[1:]),
    ]
    subprocess.run(command, cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
