"""The ways in which each property is trained besides together with the others. Pure."""

from __future__ import annotations

from dataclasses import dataclass

TOGETHER = "together"
ALONE = "alone"
FINE_TUNED = "fine-tuned"


@dataclass(frozen=True, slots=True)
class Ways:
    """How each property is trained besides together with the others.

    Attributes:
        alone: From random weights.
        fine_tuned: From the weights of the run of all.
    """

    alone: bool = False
    fine_tuned: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Their names, in the order in which they are trained; empty for none."""
        return tuple(name for name, is_asked in ((ALONE, self.alone), (FINE_TUNED, self.fine_tuned)) if is_asked)

    @property
    def options(self) -> str:
        """The options that ask for them."""
        return " and ".join(f"--also-{name}" for name in self.names)
