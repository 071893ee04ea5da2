"""Discrete distributions that are given by probabilities or by logits, each of which follows from the other."""

from __future__ import annotations

from typing import Any, ClassVar

from wengert.distributions.distribution import Distribution
from wengert.distributions.utils import broadcast_all, lazy_property, logits_to_probs, probs_to_logits


class Odds(Distribution):
    """Holds ``probs`` or ``logits`` of two outcomes (``is_binary``) or of the classes along the last dimension."""

    is_binary = True
    _parameters: ClassVar[tuple[str, ...]] = ("probs", "logits")

    def _take(self, probs: Any, logits: Any, *others: Any) -> list[Any]:
        """Keep the one that was given, broadcast with ``others``; returns these.

        Raises:
            ValueError: both or neither.
        """
        if (probs is None) == (logits is None):
            raise ValueError("Either `probs` or `logits` must be specified, but not both.")
        name, given = ("probs", probs) if logits is None else ("logits", logits)
        if self.is_binary:
            *others_, given = broadcast_all(*others, given)
        else:
            others_ = list(others)
            if given.dim() < 1:
                raise ValueError(f"`{name}` parameter must be at least one-dimensional.")
            given = given / given.sum(-1, keepdim=True) if logits is None else given - given.logsumexp(-1, keepdim=True)
        self.__dict__[name] = given
        return others_

    @property
    def _param(self) -> Any:
        return self.__dict__["probs" if "probs" in self.__dict__ else "logits"]

    @property
    def param_shape(self) -> Any:
        """The shape of the parameter."""
        return self._param.shape

    @lazy_property
    def logits(self) -> Any:
        """Log odds, or logarithms of probabilities."""
        return probs_to_logits(self.probs, self.is_binary)

    @lazy_property
    def probs(self) -> Any:
        """Probabilities."""
        return logits_to_probs(self.logits, self.is_binary)
