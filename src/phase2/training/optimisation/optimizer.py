"""Optimiser and learning rate schedule."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import AdamW

from phase2.config.schema import TrainingConfig
from phase2.errors import ModelFileError
from phase2.models.elements import ElementFeatures
from phase2.training.balancing import Balancer
from phase2.training.optimisation.muon import Muon


def make_optimizer(model: nn.Module, balancer: Balancer, config: TrainingConfig) -> AdamW:
    """Make AdamW (Loshchilov & Hutter 2019) or Muon, with weight decay for matrices, not for biases and loss weights.

    With Muon, the matrices between the embedding of the elements and the last weights of the heads are orthogonalised;
    the others, whose rows stand for elements and properties, are trained by AdamW.
    """
    matrices = [p for p in model.parameters() if p.requires_grad and p.ndim >= 2]
    others = [p for p in model.parameters() if p.requires_grad and p.ndim < 2]
    hidden = _hidden_matrices(model) if config.optimizer == "muon" else set()
    groups: list[dict[str, Any]] = [
        {"params": [p for p in matrices if p not in hidden], "weight_decay": config.weight_decay},
        {"params": [*others, *balancer.parameters()], "weight_decay": 0.0},
    ]
    if config.optimizer == "adamw":
        return AdamW([g for g in groups if g["params"]], lr=config.lr, fused=True)
    orthogonalized = [p for p in matrices if p in hidden]
    groups.append({"params": orthogonalized, "weight_decay": config.weight_decay, "orthogonalized": True})
    return Muon([g for g in groups if g["params"]], lr=config.lr)


def _hidden_matrices(model: nn.Module) -> set[Tensor]:
    """Return the weights of the linear layers, and the stacks of matrices, that map features to features."""
    linear: set[Tensor] = {m.weight for m in model.modules() if isinstance(m, nn.Linear)}
    embedding = {p for m in model.modules() if isinstance(m, ElementFeatures) for p in m.parameters()}
    return (linear | {p for p in model.parameters() if p.ndim == 3}) - embedding


def learning_rate(step: int, steps: int, config: TrainingConfig) -> float:
    """Return the learning rate of one step: linear warm-up, then cosine decay to zero (Loshchilov & Hutter 2017).

    A pure function of the step, so a resumed run has no schedule to restore.

    Args:
        step: Counted from 0.
        steps: Steps of the whole run.
        config: Peak rate and warm-up share.
    """
    warmup = round(config.warmup * steps)
    if step < warmup:
        return config.lr * (step + 1) / (warmup + 1)
    progress = (step - warmup) / max(1, steps - warmup)
    return config.lr * 0.5 * (1 + math.cos(math.pi * progress))


def set_learning_rate(optimizer: AdamW, rate: float) -> None:
    """Set the learning rate of all parameter groups; see :func:`make_recordable` for where it is kept."""
    for group in optimizer.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate


def make_recordable(optimizer: AdamW, device: torch.device) -> None:
    """Keep the learning rates on the device, where recorded steps read them.

    They are single-precision numbers there, so that steps differ from those with numbers of the host by rounding.
    """
    for group in optimizer.param_groups:
        group["lr"] = torch.tensor(float(group["lr"]), device=device)
        group["capturable"] = True


def optimizer_state(optimizer: AdamW) -> dict[str, Any]:
    """Return the state of an optimiser, the same wherever it keeps the learning rates."""
    state = optimizer.state_dict()
    groups = [{**group, "lr": float(group["lr"]), "capturable": False} for group in state["param_groups"]]
    return {**state, "param_groups": groups}


def restore_optimizer(optimizer: AdamW, state: Mapping[str, object]) -> None:
    """Continue with the state of an optimiser of the same parameters.

    The groups keep their present settings, which are functions of the configuration and of the step.

    Args:
        optimizer: The optimiser.
        state: What its ``state_dict`` was.

    Raises:
        ModelFileError: Parameters, names, shapes or dtypes differ, or a number is not finite.
    """
    present = optimizer.state_dict()
    groups, moments = state.get("param_groups"), state.get("state")
    if not isinstance(groups, list) or not isinstance(moments, Mapping):
        raise _unfit("It has no groups or no state.")
    if [group.get("params") for group in groups] != [group["params"] for group in present["param_groups"]]:
        raise _unfit("It has other groups of parameters.")
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    for index, held in moments.items():
        if not 0 <= index < len(parameters):
            raise _unfit(f"There is no parameter {index}.")
        _check_moments(index, held, parameters[index].shape)
    optimizer.load_state_dict({"state": dict(moments), "param_groups": present["param_groups"]})


def _check_moments(index: int, held: Mapping[str, object], shape: torch.Size) -> None:
    if set(held) not in _MOMENTS:
        raise _unfit(f"Parameter {index} has other moments than any optimiser of phase2.")
    for name, value in held.items():
        expected = torch.Size() if name == "step" else shape
        if not isinstance(value, Tensor) or value.dtype != torch.float32 or value.shape != expected:
            raise _unfit(f"'{name}' of parameter {index} has another shape or type.")
        if not bool(value.isfinite().all()):
            raise _unfit(f"'{name}' of parameter {index} holds numbers that are not finite.")


def _unfit(why: str) -> ModelFileError:
    return ModelFileError("The optimiser's state does not fit the model.", why=why)


_MOMENTS = ({"step", "exp_avg", "exp_avg_sq"}, {"step", "momentum"})


def clip_gradients(parameters: Iterable[Tensor], most: float) -> None:
    """Scale gradients down to a norm of ``most`` over all parameters (Pascanu et al. 2013)."""
    nn.utils.clip_grad_norm_(parameters, most)
