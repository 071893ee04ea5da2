"""What tables of learned vectors have in common. Knows neither how they are looked up nor what becomes of them."""

from __future__ import annotations

from typing import Any

from wengert.functions.creation import empty
from wengert.nn import init
from wengert.nn.modules.module import Module
from wengert.nn.parameter import Parameter

__all__ = ["Table"]


class Table(Module):
    """A matrix of learned vectors, one of which may stand for padding: it begins zero."""

    num_embeddings: int
    embedding_dim: int
    padding_idx: int | None
    weight: Parameter

    def _padded_at(self, number: int | None, name: str) -> None:
        """Take the number of the padding vector, which may count from the end."""
        if number is not None:
            if not -self.num_embeddings <= number < self.num_embeddings:
                raise AssertionError(f"{name} must be within num_embeddings")
            number %= self.num_embeddings
        self.padding_idx = number

    def _filled_with(self, matrix: Any, requires_grad: bool, device: Any, dtype: Any) -> None:
        """Take a given matrix, or draw one."""
        sizes = [self.num_embeddings, self.embedding_dim]
        if matrix is None:
            self.weight = Parameter(empty(sizes, device=device, dtype=dtype), requires_grad=requires_grad)
            self.reset_parameters()
            return
        if list(matrix.shape) != sizes:
            raise AssertionError("Shape of weight does not match num_embeddings and embedding_dim")
        self.weight = Parameter(matrix, requires_grad=requires_grad)

    def reset_parameters(self) -> None:
        """Draw the table anew."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            self.weight.data[self.padding_idx].fill_(0)
