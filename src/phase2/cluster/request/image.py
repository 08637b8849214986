"""The reference of a container image: registry, name, tag and digest."""

from __future__ import annotations

import re
from dataclasses import dataclass

from phase2.errors import RequestError

# The grammar of github.com/distribution/reference, without its length of a name, which registries set themselves.
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*(?::\d{1,5})?)"
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"(?P<name>(?:{_HOST}/)?{_PART}(?:/{_PART})*)(?::(?P<tag>\w[\w.-]{{0,127}}))?(?:@(?P<digest>sha256:[0-9a-f]{{64}}))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Image:
    """A container image.

    Attributes:
        reference: As it was written.
        name: Without tag and digest.
        digest: ``sha256:...`` where it says so: the one way to know what runs.
    """

    reference: str
    name: str
    digest: str | None

    @classmethod
    def parse(cls, reference: str) -> Image:
        """Read a reference.

        Raises:
            RequestError: It is none.
        """
        found = _REFERENCE.fullmatch(reference)
        if found is None:
            raise RequestError(
                f"--image '{reference}' is no reference of an image.",
                why="It is registry/name:tag or registry/name@sha256:..., with a name of small letters.",
                fix="Write registry.example.org/phase2@sha256:..., say.",
            )
        return cls(reference, found["name"], found["digest"])

    def __str__(self) -> str:
        return self.reference
