"""An in-toto statement, version 1, with the predicate SLSA provenance, version 1; unknown fields are refused.

https://github.com/in-toto/attestation/blob/main/spec/v1 and https://slsa.dev/spec/v1.0/provenance.
"""

import re
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic.alias_generators import to_camel

_URI = re.compile(r"[a-z][a-z0-9+.-]*:\S+")
_LENGTH = {"sha256": 64, "gitCommit": 40}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True)


class Resource(_Part):
    """Something that was made, or that it was made from: by name or address, and digest."""

    name: str | None = None
    uri: str | None = None
    digest: dict[str, str] = Field(default_factory=dict)

    @field_validator("digest")
    @classmethod
    def _is_hexadecimal(cls, digest: dict[str, str]) -> dict[str, str]:
        for algorithm, value in digest.items():
            if not re.fullmatch(rf"[0-9a-f]{{{_LENGTH.get(algorithm, 0)}}}", value):
                raise ValueError(f"{algorithm} of {value!r} is no digest")
        return digest

    @model_validator(mode="after")
    def _says_what_it_is(self) -> Self:
        if not (self.name or _URI.fullmatch(self.uri or "")):
            raise ValueError(f"neither a name nor an address: {self.uri!r}")
        return self


class BuildDefinition(_Part):
    """What was asked for, and from what it was made."""

    build_type: str = Field(pattern=_URI.pattern)
    external_parameters: dict[str, Any]
    internal_parameters: dict[str, Any] = Field(default_factory=dict)
    resolved_dependencies: list[Resource] = Field(min_length=1)


class Builder(_Part):
    """Who built it."""

    id: str = Field(pattern=_URI.pattern)


class RunDetails(_Part):
    """How it was built this time."""

    builder: Builder
    metadata: dict[str, str] = Field(default_factory=dict)


class Provenance(_Part):
    """The predicate."""

    build_definition: BuildDefinition
    run_details: RunDetails


class Statement(_Part):
    """The whole statement."""

    type_: Literal["https://in-toto.io/Statement/v1"] = Field("https://in-toto.io/Statement/v1", alias="_type")
    subject: list[Resource] = Field(min_length=1)
    predicate_type: Literal["https://slsa.dev/provenance/v1"] = "https://slsa.dev/provenance/v1"
    predicate: Provenance

    @model_validator(mode="after")
    def _subjects_have_digests(self) -> Self:
        if not all(one.digest for one in self.subject):
            raise ValueError("a subject without a digest could be anything")
        return self

    def as_json(self) -> str:
        """Return the statement as it is signed."""
        return self.model_dump_json(by_alias=True, exclude_none=True, indent=2) + "\n"
