"""Tuples with named items, which functions with several results return: ``torch.return_types``."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from typing import Any, ClassVar, Self

__all__ = [
    "ReturnType",
    "aminmax",
    "cummax",
    "cummin",
    "frexp",
    "geqrf",
    "histogram",
    "histogramdd",
    "kthvalue",
    "linalg_cholesky_ex",
    "linalg_eig",
    "linalg_eigh",
    "linalg_inv_ex",
    "linalg_ldl_factor",
    "linalg_ldl_factor_ex",
    "linalg_lstsq",
    "linalg_lu",
    "linalg_lu_factor",
    "linalg_lu_factor_ex",
    "linalg_qr",
    "linalg_slogdet",
    "linalg_solve_ex",
    "linalg_svd",
    "lu_unpack",
    "max",
    "median",
    "min",
    "mode",
    "nanmedian",
    "qr",
    "slogdet",
    "sort",
    "svd",
    "topk",
    "triangular_solve",
]


class ReturnType(tuple[Any, ...]):
    """A tuple whose items also have names; made of one sequence, as PyTorch's are."""

    __slots__ = ()
    __match_args__: ClassVar[tuple[str, ...]] = ()

    def __new__(cls, items: Iterable[Any], /) -> Self:
        made = tuple.__new__(cls, items)
        if len(made) != len(cls.__match_args__):
            takes = f"torch.return_types.{cls.__name__}() takes a {len(cls.__match_args__)}-sequence"
            raise TypeError(f"{takes} ({len(made)}-sequence given)")
        return made

    def __repr__(self) -> str:
        items = [f"{name}={item!r}" for name, item in zip(self.__match_args__, self, strict=True)]
        return f"torch.return_types.{type(self).__name__}(\n" + ",\n".join(items) + ")"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (tuple(self),)


class _ValuesIndices(ReturnType):
    __slots__ = ()
    __match_args__ = ("values", "indices")

    @property
    def values(self) -> Any:
        """The chosen elements."""
        return self[0]

    @property
    def indices(self) -> Any:
        """Where each stood along the axis."""
        return self[1]


class frexp(ReturnType):
    """A mantissa and an exponent for each element."""

    __slots__ = ()
    __match_args__ = ("mantissa", "exponent")

    @property
    def mantissa(self) -> Any:
        """The numbers of size 0.5 to 1."""
        return self[0]

    @property
    def exponent(self) -> Any:
        """The powers of two that go with them."""
        return self[1]


class aminmax(ReturnType):
    """The smallest and the largest element."""

    __slots__ = ()
    __match_args__ = ("min", "max")

    @property
    def min(self) -> Any:
        """The smallest."""
        return self[0]

    @property
    def max(self) -> Any:
        """The largest."""
        return self[1]


class cummax(_ValuesIndices):
    """Result of :func:`cummax`."""

    __slots__ = ()


class cummin(_ValuesIndices):
    """Result of :func:`cummin`."""

    __slots__ = ()


class kthvalue(_ValuesIndices):
    """Result of :func:`kthvalue`."""

    __slots__ = ()


class max(_ValuesIndices):
    """Result of :func:`max` along an axis."""

    __slots__ = ()


class median(_ValuesIndices):
    """Result of :func:`median` along an axis."""

    __slots__ = ()


class min(_ValuesIndices):
    """Result of :func:`min` along an axis."""

    __slots__ = ()


class mode(_ValuesIndices):
    """Result of :func:`mode`."""

    __slots__ = ()


class nanmedian(_ValuesIndices):
    """Result of :func:`nanmedian` along an axis."""

    __slots__ = ()


class sort(_ValuesIndices):
    """Result of :func:`sort`."""

    __slots__ = ()


class topk(_ValuesIndices):
    """Result of :func:`topk`."""

    __slots__ = ()


def _of(name: str, doc: str, *fields: str) -> type[ReturnType]:
    """A class whose items are also attributes of these names."""
    body: dict[str, Any] = {"__slots__": (), "__match_args__": fields, "__doc__": doc, "__module__": __name__}
    body.update({field: property(itemgetter(position)) for position, field in enumerate(fields)})
    return type(name, (ReturnType,), body)


linalg_eigh = _of("linalg_eigh", "Result of :func:`linalg.eigh`.", "eigenvalues", "eigenvectors")
linalg_eig = _of("linalg_eig", "Result of :func:`linalg.eig`.", "eigenvalues", "eigenvectors")
linalg_svd = _of("linalg_svd", "Result of :func:`linalg.svd`.", "U", "S", "Vh")
linalg_qr = _of("linalg_qr", "Result of :func:`linalg.qr`.", "Q", "R")
linalg_slogdet = _of("linalg_slogdet", "Result of :func:`linalg.slogdet`.", "sign", "logabsdet")
geqrf = _of("geqrf", "Result of :func:`geqrf`.", "a", "tau")
linalg_lu = _of("linalg_lu", "Result of :func:`linalg.lu`.", "P", "L", "U")
linalg_lu_factor = _of("linalg_lu_factor", "Result of :func:`linalg.lu_factor`.", "LU", "pivots")
linalg_lu_factor_ex = _of("linalg_lu_factor_ex", "Result of :func:`linalg.lu_factor_ex`.", "LU", "pivots", "info")
linalg_cholesky_ex = _of("linalg_cholesky_ex", "Result of :func:`linalg.cholesky_ex`.", "L", "info")
linalg_ldl_factor = _of("linalg_ldl_factor", "Result of :func:`linalg.ldl_factor`.", "LD", "pivots")
linalg_ldl_factor_ex = _of("linalg_ldl_factor_ex", "Result of :func:`linalg.ldl_factor_ex`.", "LD", "pivots", "info")
linalg_inv_ex = _of("linalg_inv_ex", "Result of :func:`linalg.inv_ex`.", "inverse", "info")
linalg_solve_ex = _of("linalg_solve_ex", "Result of :func:`linalg.solve_ex`.", "result", "info")
linalg_lstsq = _of(
    "linalg_lstsq", "Result of :func:`linalg.lstsq`.", "solution", "residuals", "rank", "singular_values"
)
svd = _of("svd", "Result of :func:`svd`.", "U", "S", "V")
qr = _of("qr", "Result of :func:`qr`.", "Q", "R")
lu_unpack = _of("lu_unpack", "Result of :func:`lu_unpack`.", "P", "L", "U")
triangular_solve = _of("triangular_solve", "Result of :func:`triangular_solve`.", "solution", "cloned_coefficient")
geqrf = _of("geqrf", "Result of :func:`geqrf`.", "a", "tau")
slogdet = _of("slogdet", "Result of :func:`slogdet`.", "sign", "logabsdet")
histogram = _of("histogram", "Result of :func:`histogram`.", "hist", "bin_edges")
histogramdd = _of("histogramdd", "Result of :func:`histogramdd`.", "hist", "bin_edges")
