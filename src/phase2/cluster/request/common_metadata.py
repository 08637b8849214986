"""Labels and annotations of an organisation, which every object and every pod of an installation has. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from phase2.errors import RequestError

LABELS, ANNOTATIONS = "labels", "annotations"


@dataclass(frozen=True, slots=True)
class CommonMetadata:
    """Labels and annotations that objects have besides their own.

    Attributes:
        labels: Labels, by key.
        annotations: Annotations, by key.
    """

    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, data: Mapping[str, str]) -> CommonMetadata:
        """Parse the keys ``labels`` and ``annotations`` of the ConfigMap of an installation: mappings, as YAML.

        Raises:
            RequestError: One of them is no mapping of texts.
        """
        return cls(_texts(data, LABELS), _texts(data, ANNOTATIONS))

    def added_to(self, manifest: dict[str, Any]) -> dict[str, Any]:
        """Return an object whose metadata, and those of its pods, have these too; they replace none.

        The digest of its plan stays: what an administrator calls the runs makes them no other runs.
        """
        completed: dict[str, Any] = self._completed(manifest)
        return completed

    def _completed(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._completed(one) for one in value]
        if not isinstance(value, dict):
            return value
        fields = {key: self._completed(one) for key, one in value.items()}
        metadata = fields.get("metadata")
        if isinstance(metadata, dict) and LABELS in metadata:
            for name, common in ((LABELS, self.labels), (ANNOTATIONS, self.annotations)):
                if common:
                    metadata[name] = {**common, **metadata.get(name, {})}
        return fields


def _texts(data: Mapping[str, str], key: str) -> dict[str, str]:
    import yaml

    text = data.get(key, "")
    try:
        found = yaml.safe_load(text) or {}
    except yaml.YAMLError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(word, str) for pair in found.items() for word in pair):
        raise RequestError(
            f"The {key} of the runs in this namespace cannot be used.",
            why=f"'{text}' is not a mapping of texts.",
            fix=f"Have the administrator correct '{key}' in the ConfigMap phase2-runs "
            f"(common{key.capitalize()} of the chart).",
        )
    return found
