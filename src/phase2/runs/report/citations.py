"""Works to cite for a model: its network, its training and its data."""

from __future__ import annotations

from phase2.config.schema import RunConfig

OPTIMIZERS = {"adamw": "AdamW", "muon": "Muon and AdamW"}
"""What a card calls each optimiser."""
_METHODS = {
    "cgcnn": "Network: T. Xie and J. C. Grossman, Phys. Rev. Lett. 120, 145301 (2018), "
    "doi:10.1103/PhysRevLett.120.145301.",
    "e3nn": "Network: S. Batzner et al., Nat. Commun. 13, 2453 (2022), doi:10.1038/s41467-022-29939-5; "
    "M. Geiger and T. Smidt, e3nn: Euclidean Neural Networks (2022), arXiv:2207.09453.",
}
_ADAMW = "I. Loshchilov and F. Hutter, ICLR 2019, arXiv:1711.05101."
_OPTIMIZERS = {
    "adamw": f"Optimiser: {_ADAMW}",
    "muon": f"Optimisers: K. Jordan et al., Muon (2024); J. Liu et al. (2025), arXiv:2502.16982; {_ADAMW}",
}
_BALANCES = {
    "uncertainty": "Balance of the properties: A. Kendall, Y. Gal and R. Cipolla, CVPR 2018, arXiv:1705.07115.",
    "famo": "Balance of the properties: B. Liu et al., FAMO, NeurIPS 2023, arXiv:2306.03792.",
}
_DATA_PAPERS = {
    "sample": "Data: A. Jain et al., APL Mater. 1, 011002 (2013), doi:10.1063/1.4812323, "
    "and the papers in the data card of the sample.",
    "jarvis-dft3d": "Data: K. Choudhary et al., npj Comput. Mater. 6, 173 (2020), doi:10.1038/s41524-020-00440-1.",
}


def citations(config: RunConfig) -> list[str]:
    """Return a line for each work that a run rests on."""
    found = (
        _METHODS[config.algorithm],
        _BALANCES.get(config.training.balance),
        _OPTIMIZERS[config.training.optimizer],
        _DATA_PAPERS.get(config.data.source),
    )
    return [line for line in found if line]
