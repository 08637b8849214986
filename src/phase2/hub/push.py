"""Pushing a finished run to the Hugging Face Hub: one commit with the weights, the card and the results."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from phase2.errors import RequestError, TransientError
from phase2.hub.card import hub_card
from phase2.models.files.safetensors_folder import write_safetensors
from phase2.output.secrets import without_secrets
from phase2.runs.layout import RunDirectory
from phase2.runs.publish.local_files import run_files
from phase2.runs.publish.reader import PublishedRun

_RUN = RunDirectory(Path())
_COPIED = tuple(path.name for path in (_RUN.results, _RUN.parity, _RUN.learning_curve, _RUN.calibration))
_REPO = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a run is pushed.

    Attributes:
        repo: Repository, ``owner/name``.
        licence: Identifier of the licence of the weights; None where it is not stated.
        public: Whether a repository that is made now can be read by everybody.
    """

    repo: str
    licence: str | None = None
    public: bool = False

    def __post_init__(self) -> None:
        if not _REPO.fullmatch(self.repo):
            raise RequestError(
                f"{self.repo!r} is no repository of the Hub.",
                why="It is OWNER/NAME, of letters, digits, '.', '_' and '-'.",
                fix="Name it so: --repo my-group/formation-energies.",
            )


def push_run(found: PublishedRun, destination: Destination) -> str:
    """Push a finished run: the repository is made where it is not there, and one commit has all files or none.

    What has not changed since the last push is not sent again. Environment: ``HF_TOKEN``, ``HF_ENDPOINT``.

    Args:
        found: The run.
        destination: Where to.

    Returns:
        Address of the commit.

    Raises:
        ModelFileError: The model file of the run cannot be used.
        DataError: A file of the run is damaged in its store.
        RequestError: The Hub refuses it: no token, or no right.
        TransientError: The Hub or the store does not respond.
        MissingExtraError: The package of the Hub is not installed.
    """
    _check_endpoint(os.environ.get("HF_ENDPOINT"))
    from huggingface_hub import HfApi

    manifest = found.manifest
    with run_files(found, {_RUN.best.name, *_COPIED}) as run, TemporaryDirectory() as name:
        folder = Path(name)
        write_safetensors(run.best, folder)
        card = hub_card(manifest, destination.repo, licence=destination.licence)
        (folder / "README.md").write_text(card, encoding="utf-8")
        for file in _COPIED:
            if (run.path / file).is_file():
                shutil.copyfile(run.path / file, folder / file)
        with _explained(destination.repo):
            hub = HfApi(library_name="phase2", library_version=manifest.code.phase2)
            hub.create_repo(destination.repo, private=not destination.public, exist_ok=True)
            commit = hub.upload_folder(
                repo_id=destination.repo, folder_path=folder, commit_message=f"Run {manifest.run_id} of phase2"
            )
    return str(commit.commit_url)


def _check_endpoint(address: str | None) -> None:
    """Refuse an address of a Hub that the Hub's client cannot even read."""
    if address is None:
        return
    try:
        parts = urlsplit(address)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, or half of an IPv6 address
        is_address = False
    if not is_address:
        raise RequestError(
            f"HF_ENDPOINT is no address of a Hub: {without_secrets(address)!r}.",
            fix="Set it to https://HOST or http://HOST:PORT, or unset it for the public Hub.",
        )


@contextmanager
def _explained(repo: str) -> Iterator[None]:
    """Turn what the Hub's client raises into errors that say what to do."""
    from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError

    try:
        yield
    except LocalTokenNotFoundError as error:
        raise RequestError("There is no token for the Hub.", fix="Set HF_TOKEN, or run 'hf auth login'.") from error
    except HfHubHTTPError as error:
        status = error.response.status_code
        why = without_secrets(str(error).strip().splitlines()[0])
        if status in (408, 429) or status >= 500:
            raise TransientError(f"The Hub answered {status}.", why=why, fix="Try again later.") from error
        raise RequestError(
            f"The Hub refused to take {repo}.",
            why=f"It answered {status}: {why}",
            fix="Check HF_TOKEN, which needs the right to write there, and the name of the repository.",
        ) from error
    except _transport_errors() as error:
        raise TransientError(
            "The Hub does not answer.", why=f"{type(error).__name__}.", fix="Check HF_ENDPOINT and the network."
        ) from error


def _transport_errors() -> tuple[type[Exception], ...]:
    """Return what the Hub's client raises where the network fails: of its package for HTTP, by version."""
    loaded = (sys.modules.get(name) for name in ("httpx", "httpx2"))
    return tuple(module.TransportError for module in loaded if module is not None)
