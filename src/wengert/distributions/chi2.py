"""The chi-squared distribution."""

from __future__ import annotations

from typing import Any

from wengert.distributions import constraints
from wengert.distributions.gamma import Gamma
from wengert.distributions.utils import broadcast_all

__all__ = ["Chi2"]


class Chi2(Gamma):
    """The sum of ``df`` squares of standard normal numbers: ``Gamma(df / 2, 1 / 2)``.

    Raises:
        ValueError: ``df`` is not positive.

    >>> import wengert as torch
    >>> torch.distributions.Chi2(3.0).mean
    tensor(3.)
    """

    arg_constraints = {"df": constraints.positive}  # noqa: RUF012

    def __init__(self, df: Any, validate_args: bool | None = None) -> None:
        (df,) = broadcast_all(df)
        super().__init__(0.5 * df, 0.5, validate_args=validate_args)

    @property
    def df(self) -> Any:
        """The degrees of freedom."""
        return self.concentration * 2
