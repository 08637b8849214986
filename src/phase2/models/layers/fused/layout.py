"""Bonds and paths of a fused tensor product, as its kernels read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class SortedBonds:
    """Bonds of a batch, by receiver as they are and by sender.

    Attributes:
        sender: Atom that sends the messages of each bond, (M,) int64.
        receiver: Atom that receives them, (M,) int64, ascending.
        received: Offsets of each atom's received bonds, (N + 1,) int64.
        sent: Bonds in the order of their senders, (M,) int64.
        sent_by: Offsets of each atom's sent bonds in that order, (N + 1,) int64.
    """

    sender: Tensor
    receiver: Tensor
    received: Tensor
    sent: Tensor
    sent_by: Tensor

    @classmethod
    def of(cls, sender: Tensor, receiver: Tensor, n_atoms: int) -> SortedBonds:
        """Sort bonds that are sorted by receiver by their sender as well; the host reads nothing."""
        atoms = torch.arange(n_atoms + 1, device=sender.device)
        ordered, sent = torch.sort(sender, stable=True)
        return cls(sender, receiver, torch.searchsorted(receiver, atoms), sent, torch.searchsorted(ordered, atoms))


class Route(NamedTuple):
    """Path of a product with the places of its parts.

    Attributes:
        l1: Degree of the features.
        l3: Degree of the results.
        channels: Channels of the features.
        weight: First of its weights in a bond's row.
        block: First number of its block in a bond's row.
        out: First of its channels in the results of degree l3.
    """

    l1: int
    l3: int
    channels: int
    weight: int
    block: int
    out: int
