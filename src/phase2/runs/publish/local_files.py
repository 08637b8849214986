"""Some files of a finished run on this machine: where it lies, or downloaded for as long as they are used."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from phase2.runs.keys import local_run
from phase2.runs.layout import RunDirectory
from phase2.runs.publish.reader import PublishedRun


@contextmanager
def run_files(found: PublishedRun, wanted: Collection[str]) -> Iterator[RunDirectory]:
    """Provide a run directory with some of the files of a run, as far as it has them, and its manifest.

    Args:
        found: The run.
        wanted: Names of the files.

    Raises:
        DataError: A file is damaged in the store.
        TransientError: The store does not respond.
    """
    here = local_run(found.store, found.prefix)
    if here is not None:
        yield here
        return
    family, _, name = found.prefix.partition("/")
    with TemporaryDirectory() as folder:
        run = RunDirectory(Path(folder) / family / name)
        only = [artifact.path for artifact in found.manifest.artifacts if artifact.path in wanted]
        run.path.mkdir(parents=True)
        if only:
            found.pull(Path(folder), only=only)
        run.manifest.write_bytes(found.content)
        yield run
