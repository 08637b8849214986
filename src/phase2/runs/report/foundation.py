"""What the pages of a run say about the pretrained potential whose features it reads."""

from __future__ import annotations

from phase2.config.foundation_models import foundation_model
from phase2.config.schema import RunConfig


def foundation_sentence(config: RunConfig) -> str:
    """Describe the potential and what it has seen; "" for a run without one."""
    if config.foundation is None:
        return ""
    model = foundation_model(config.foundation.name)
    how = "instead of a network of its own" if config.foundation.use == "alone" else "beside its own network"
    return f"Reads frozen features of {model.title} ({model.licence} licence; {model.citation}) {how}. {model.seen}"


def foundation_caveats(config: RunConfig, properties: tuple[str, ...]) -> list[str]:
    """List the properties whose errors are not those of held-out crystals."""
    if config.foundation is None:
        return []
    model = foundation_model(config.foundation.name)
    seen = [key for key in properties if key in model.seen_properties]
    if not seen:
        return []
    return [
        f"{', '.join(seen)}: not a held-out result. {model.title} was fitted to energies of the Materials Project, "
        "those of test crystals among them; do not compare these errors with models that have not seen them."
    ]
