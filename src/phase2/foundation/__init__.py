"""Pretrained interatomic potentials of others: frozen features of crystals, computed once and cached."""
