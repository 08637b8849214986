"""Base class of configurations, and their digest."""

from __future__ import annotations

import hashlib
import json

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """Immutable model that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON form, hexadecimal: equal settings have equal digests.

        A setting that earlier versions did not have is left out where it has the value that they computed with, so
        that their runs keep their digests.
        """
        tree = self.model_dump(mode="json")
        for group, name, value in _ADDED:
            if name in tree.get(group, ()) and tree[group][name] == value:
                del tree[group][name]
        canonical = json.dumps(tree, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


_ADDED: tuple[tuple[str, str, object], ...] = (
    ("training", "label_exponent", None),
    ("training", "optimizer", "adamw"),
    ("model", "second_order", 0),
    ("model", "readout_layers", "last"),
    ("model", "atom_hidden", 0),
    ("model", "element_pairs", False),
    ("model", "feed_forward", False),
    ("data", "per_volume", []),
)
