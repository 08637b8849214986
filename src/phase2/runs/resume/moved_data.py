"""Data of a run that is continued, no longer where they were."""

from __future__ import annotations

from pathlib import Path

from phase2.config.data.addresses import is_content, is_in_bucket, is_on_server
from phase2.config.data.sets import CRYSTALS
from phase2.config.request.resume_request import DATA_PATH
from phase2.errors import DataError
from phase2.runs.records.run_config import RecordedConfig
from phase2.storage.disk.home import expand_home


def refuse_missing_data(source: str, recorded: RecordedConfig | None) -> None:
    """Refuse to continue a run whose data are not at its path, which a relative one may be from another folder.

    Args:
        source: What would be read.
        recorded: Recorded configuration of the run; None where there is none.

    Raises:
        DataError: It is the path that the run has recorded, and nothing is there.
    """
    if recorded is None or source != recorded.config.data.source:
        return
    if source in CRYSTALS or is_content(source) or is_in_bucket(source) or is_on_server(source):
        return
    path = expand_home(source)
    try:
        is_there = path.exists()
    except OSError:
        is_there = True  # its reader says why it cannot be read
    if is_there:
        return
    place = f"--data PATH --accept-change {DATA_PATH}"
    if path.is_absolute():
        why, fix = "Nothing is there now.", f"If they have moved, give their new place: {place}."
    else:
        why = f"That path begins at the folder in which the run was started, and this one is {Path.cwd()}."
        fix = f"Continue the run from there, or give the place of its data: {place}."
    raise DataError(f"The data of the run '{recorded.run_id}' are not at {source}.", why=why, fix=fix)
