"""JavaScript libraries that are part of the package, with where each is from.

``python -m tools.web_assets`` fetches them, and compares what is here with ``vendor/libraries.json``.
"""

from __future__ import annotations

import json
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, TypeAdapter

VENDOR = "vendor"


class Library(BaseModel):
    """One library.

    Attributes:
        package: Name of the npm package.
        version: Its version.
        license: SPDX identifier of its licence.
        copyright: Who holds it.
        member: Path of the script in the package.
        file: Name of the script in ``vendor``.
        license_file: Name of the licence in ``vendor``.
        sha256: Digest of the script, hexadecimal.
        license_sha256: Digest of the licence.
        bytes: Size of the script.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    package: str
    version: str
    license: str
    copyright: str
    member: str
    file: str
    license_file: str
    sha256: str
    license_sha256: str
    bytes: int

    @property
    def notice(self) -> str:
        """One line that says what it is and whose."""
        return f"{self.package} {self.version}, {self.license}, {self.copyright}"


def _read() -> dict[str, Library]:
    text = files("phase2.web").joinpath(VENDOR, "libraries.json").read_text("utf-8")
    return TypeAdapter(dict[str, Library]).validate_python(json.loads(text))


LIBRARIES = _read()
"""The libraries, by a short name: ``plotly``, ``3dmol`` and ``table``."""


def library_text(key: str) -> str:
    """Return the script of a library, as its package has it."""
    return files("phase2.web").joinpath(VENDOR, LIBRARIES[key].file).read_text("utf-8")
