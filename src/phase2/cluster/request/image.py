"""Reference of a container image: registry, name, tag and digest."""

from __future__ import annotations

import re
from dataclasses import dataclass

from phase2.errors import RequestError

# Grammar of github.com/distribution/reference, without its limit on the length of names.
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*(?::\d{1,5})?)"
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"(?P<name>(?:{_HOST}/)?{_PART}(?:/{_PART})*)(?::(?P<tag>\w[\w.-]{{0,127}}))?(?:@(?P<digest>sha256:[0-9a-f]{{64}}))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Image:
    """Container image.

    Attributes:
        reference: The reference as it was given.
        name: Name without tag and digest.
        digest: ``sha256:...``; None if the reference has none. Only a digest pins the content.
    """

    reference: str
    name: str
    digest: str | None

    @classmethod
    def parse(cls, reference: str) -> Image:
        """Parse a reference.

        Raises:
            RequestError: It is not a valid reference.
        """
        found = _REFERENCE.fullmatch(reference)
        if found is None:
            raise RequestError(
                f"--image '{reference}' is not a valid image reference.",
                why="The form is registry/name:tag or registry/name@sha256:..., with the name in lower case.",
                fix="Write registry.example.org/phase2@sha256:..., say.",
            )
        return cls(reference, found["name"], found["digest"])

    def __str__(self) -> str:
        return self.reference
