"""Operations on matrices of a few rows, written out element by element: many of them then are lanes of one loop.

Elimination exchanges rows as LAPACK does, so that results are the same but for rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from math import nan, prod
from typing import Any, Final

from wengert.program.values import Value

_MOST_ROWS: Final = 4
_MOST_ROWS_OF_MANY: Final = 6  # where it is worth the time to compile them
_MANY: Final = 32

Entries = list[list[Value]]


def _is_small(xp: Any, a: Value) -> bool:
    """Whether matrices are to be written out."""
    is_often = xp.is_repeated or prod(a.shape[:-2]) >= _MANY
    return bool(a.shape[-1] <= (_MOST_ROWS_OF_MANY if is_often else _MOST_ROWS))


def _entries(xp: Any, a: Value) -> Entries:
    """The elements of matrices, each with the axes before the last two."""
    n, last = a.shape[-1], a.ndim - 2
    rows = [xp.select(a, dim=last, index=i) for i in range(a.shape[-2])]
    return [[xp.select(row, dim=last, index=j) for j in range(n)] for row in rows]


def _as_matrices(xp: Any, entries: Sequence[Sequence[Value]]) -> Value:
    dim = entries[0][0].ndim
    return xp.stack(*[xp.stack(*row, dim=dim) for row in entries], dim=dim)  # type: ignore[no-any-return]


def _rows(xp: Any, b: Value) -> list[Value]:
    return [xp.select(b, dim=b.ndim - 2, index=i) for i in range(b.shape[-2])]


def _along(xp: Any, x: Value) -> Value:
    """A number for each matrix, to multiply rows with."""
    return xp.unsqueeze(x, dim=x.ndim)  # type: ignore[no-any-return]


class _Eliminated:
    """Matrices made upper triangles by Gauss's elimination, with what it does to the ``rows`` beside them.

    A column that has zeros only is left as it is: its pivot is zero.
    """

    def __init__(self, xp: Any, a: Value, rows: Sequence[Value] = ()) -> None:
        self._xp = xp
        self.upper = _entries(xp, a)
        self.rows = list(rows)
        self.exchanged: list[Value] = []  # whether two rows were, for each pair that was looked at
        for k in range(len(self.upper) - 1):
            self._exchange(k)
            self._clear(k)

    def _exchange(self, k: int) -> None:
        """Bring the row with the largest element of a column to its diagonal."""
        xp, u = self._xp, self.upper
        for i in range(k + 1, len(u)):
            larger = xp.gt(xp.abs(u[i][k]), xp.abs(u[k][k]))
            self.exchanged.append(larger)
            for j in range(k, len(u)):
                x, y = u[k][j], u[i][j]
                u[k][j], u[i][j] = xp.where(larger, y, x), xp.where(larger, x, y)
            if self.rows:
                x, y, larger = self.rows[k], self.rows[i], _along(xp, larger)
                self.rows[k], self.rows[i] = xp.where(larger, y, x), xp.where(larger, x, y)

    def _clear(self, k: int) -> None:
        """Subtract the row of a pivot from those below."""
        xp, u = self._xp, self.upper
        pivot = xp.where(xp.eq(u[k][k], 0.0), 1.0, u[k][k])
        for i in range(k + 1, len(u)):
            factor = xp.div(u[i][k], pivot)
            for j in range(k + 1, len(u)):
                u[i][j] = xp.sub(u[i][j], xp.mul(factor, u[k][j]))
            if self.rows:
                self.rows[i] = xp.sub(self.rows[i], xp.mul(_along(xp, factor), self.rows[k]))

    @property
    def pivots(self) -> list[Value]:
        return [row[i] for i, row in enumerate(self.upper)]

    def turns(self) -> list[Value]:
        """Numbers whose product is the sign of the exchanges."""
        return [self._xp.where(larger, -1.0, self._xp.ones_like(self.upper[0][0])) for larger in self.exchanged]

    def is_singular(self) -> Value:
        return reduce(self._xp.logical_or, [self._xp.eq(pivot, 0.0) for pivot in self.pivots])  # type: ignore[no-any-return]


def _substituted(xp: Any, a: Entries, rows: list[Value], *, upper: bool, unitriangular: bool = False) -> list[Value]:
    """Solve systems with triangular matrices, row after row."""
    n, found = len(a), dict[int, Value]()
    for i in reversed(range(n)) if upper else range(n):
        rest = rows[i]
        for j, x in found.items():
            rest = xp.sub(rest, xp.mul(_along(xp, a[i][j]), x))
        found[i] = rest if unitriangular else xp.div(rest, _along(xp, a[i][i]))
    return [found[i] for i in range(n)]


def _solve(xp: Any, a: Value, b: Value) -> Value | None:
    if not _is_small(xp, a):
        return None
    made = _Eliminated(xp, a, _rows(xp, b))
    rows = _substituted(xp, made.upper, made.rows, upper=True)
    singular = _along(xp, made.is_singular())
    rows = [xp.where(singular, nan, row) for row in rows]
    return xp.stack(*rows, dim=rows[0].ndim - 1)  # type: ignore[no-any-return]


def _solve_triangular(xp: Any, a: Value, b: Value, *, upper: bool, unitriangular: bool) -> Value | None:
    if not _is_small(xp, a) or a.shape[:-2] != b.shape[:-2]:
        return None
    rows = _substituted(xp, _entries(xp, a), _rows(xp, b), upper=upper, unitriangular=unitriangular)
    return xp.stack(*rows, dim=b.ndim - 2)  # type: ignore[no-any-return]


def _inv(xp: Any, a: Value) -> Value | None:
    if not _is_small(xp, a):
        return None
    eye = xp.diag_embed(xp.ones_like(xp.select(a, dim=a.ndim - 2, index=0)), offset=0, dim1=a.ndim - 2, dim2=a.ndim - 1)
    return _solve(xp, a, eye)


def _cholesky(xp: Any, a: Value, *, upper: bool) -> Value | None:
    """NaN for a matrix that is not positive definite."""
    if not _is_small(xp, a):
        return None
    entries, factor = _entries(xp, a), Entries()
    squares: list[Value] = []  # of the diagonal
    for i in range(len(entries)):
        row: list[Value] = []
        for j in range(i + 1):
            x = entries[j][i] if upper else entries[i][j]
            for k in range(j):
                x = xp.sub(x, xp.mul(row[k], (row if i == j else factor[j])[k]))
            row.append(xp.sqrt(x) if i == j else xp.div(x, factor[j][j]))
            squares += [x] * (i == j)
        factor.append(row)
    is_positive = reduce(xp.logical_and, [xp.gt(x, 0.0) for x in squares])
    zero = xp.zeros_like(squares[0])
    full = [[xp.where(is_positive, x, nan) for x in row] + [zero] * (len(entries) - len(row)) for row in factor]
    return _as_matrices(xp, list(zip(*full, strict=True)) if upper else full)


def _det(xp: Any, a: Value) -> Value | None:
    if not _is_small(xp, a):
        return None
    made = _Eliminated(xp, a)
    return reduce(xp.mul, [*made.pivots, *made.turns()])


def _slogdet(xp: Any, a: Value) -> tuple[Value, Value] | None:
    if not _is_small(xp, a):
        return None
    made = _Eliminated(xp, a)
    sign = reduce(xp.mul, [*[xp.sign(pivot) for pivot in made.pivots], *made.turns()])
    return sign, reduce(xp.add, [xp.log(xp.abs(pivot)) for pivot in made.pivots])


def _cofactors(xp: Any, a: Value) -> Value | None:
    n = a.shape[-1]
    if n < 2 or not _is_small(xp, a):
        return None
    entries, known = _entries(xp, a), dict[Any, Value]()

    def minor(rows: tuple[int, ...], columns: tuple[int, ...]) -> Value:
        """The determinant of what these rows and columns have in common, by its first row."""
        if len(rows) == 1:
            return entries[rows[0]][columns[0]]
        if (rows, columns) not in known:
            total: Any = None
            for k, j in enumerate(columns):
                term = xp.mul(entries[rows[0]][j], minor(rows[1:], columns[:k] + columns[k + 1 :]))
                total = term if total is None else (xp.sub if k % 2 else xp.add)(total, term)
            known[rows, columns] = total
        return known[rows, columns]

    def cofactor(i: int, j: int) -> Value:
        rest = [tuple([k for k in range(n) if k != left_out]) for left_out in (i, j)]
        found = minor(*rest)
        return xp.neg(found) if (i + j) % 2 else found

    return _as_matrices(xp, [[cofactor(i, j) for j in range(n)] for i in range(n)])


SMALL_MATRICES: Final[dict[str, Callable[..., Any]]] = {
    "linalg_solve": _solve,
    "linalg_solve_triangular": _solve_triangular,
    "inv": _inv,
    "linalg_cholesky": _cholesky,
    "linalg_det": _det,
    "linalg_slogdet": _slogdet,
    "cofactors": _cofactors,
}
__all__ = ["SMALL_MATRICES"]
