"""Worlds in which a rule can run: raw values and tensors."""
