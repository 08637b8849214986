"""Selection of the device to compute on, by name or automatically."""

from __future__ import annotations

import torch

from phase2.errors import RequestError, UnknownNameError

AUTO = "auto"


def choose_device(name: str = AUTO) -> torch.device:
    """Return the device with a name.

    Args:
        name: ``auto`` (the first GPU, or the CPU where there is none), ``cpu``, ``cuda`` (the first GPU) or ``cuda:1``.

    Raises:
        RequestError: The device does not exist, or phase2 does not compute on it.

    Example:
        >>> choose_device("cpu")
        device(type='cpu')
    """
    here = available_devices()
    if name == AUTO:
        return torch.device(here[-1] if len(here) == 1 else "cuda:0")
    if name == "cuda" and len(here) > 1:
        return torch.device("cuda:0")
    if name in here:
        return torch.device(name)
    raise _refusal(name, here)


def available_devices() -> list[str]:
    """List the devices of this machine that phase2 computes on: ``cpu``, then ``cuda:0``, ``cuda:1``, ..."""
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return ["cpu", *(f"cuda:{number}" for number in range(count))]


def _refusal(name: str, here: list[str]) -> RequestError:
    listed = f"Here are: {', '.join(here)}."
    kind = name.partition(":")[0]
    if kind == "mps":
        return RequestError(
            f"The device '{name}' is not supported.",
            why=f"The models are not tested on Apple's GPUs, which compute without float64. {listed}",
            fix="Use the device 'cpu'.",
        )
    if kind != "cuda":
        return UnknownNameError.of("device", name, [AUTO, "cuda", *here])
    why = "torch finds no GPU that it can use" if len(here) == 1 else "There is no GPU of this number"
    return RequestError(
        f"The device '{name}' is not here.", why=f"{why}. {listed}", fix=f"Use one of these, or '{AUTO}'."
    )
