"""Optimizers: what moves parameters along their gradients, under the names of ``torch.optim``."""

from wengert.optim.adam import Adam, AdamW
from wengert.optim.optimizer import Optimizer
from wengert.optim.sgd import SGD

__all__ = ["SGD", "Adam", "AdamW", "Optimizer"]
