"""Linear algebra: products, factorisations, systems of equations and norms, under the names of ``torch.linalg``."""

from wengert.functions.diagonals import linalg_diagonal as diagonal
from wengert.functions.linalg_checks import LinAlgError
from wengert.functions.linalg_factors import cholesky_ex, lu, lu_factor, lu_factor_ex, lu_solve
from wengert.functions.linalg_factors import linalg_cholesky as cholesky
from wengert.functions.linalg_factors import linalg_qr as qr
from wengert.functions.linalg_pseudoinverse import lstsq, pinv
from wengert.functions.linalg_ranks import cond, householder_product, matrix_rank, vander
from wengert.functions.linalg_solving import (
    det,
    inv_ex,
    slogdet,
    solve,
    solve_ex,
    solve_triangular,
    tensorinv,
    tensorsolve,
)
from wengert.functions.linalg_spectra import eig, eigh, eigvals, eigvalsh, matrix_exp, svdvals
from wengert.functions.linalg_spectra import linalg_svd as svd
from wengert.functions.matrices import inverse as inv
from wengert.functions.matrices import linalg_cross as cross
from wengert.functions.matrices import matrix_power, multi_dot, vecdot
from wengert.functions.matrix_norms import linalg_norm as norm
from wengert.functions.matrix_norms import matrix_norm
from wengert.functions.norms import vector_norm
from wengert.functions.products import matmul
from wengert.functions.symmetric_factors import ldl_factor, ldl_factor_ex, ldl_solve

__all__ = [
    "LinAlgError",
    "cholesky",
    "cholesky_ex",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "householder_product",
    "inv",
    "inv_ex",
    "ldl_factor",
    "ldl_factor_ex",
    "ldl_solve",
    "lstsq",
    "lu",
    "lu_factor",
    "lu_factor_ex",
    "lu_solve",
    "matmul",
    "matrix_exp",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "multi_dot",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_ex",
    "solve_triangular",
    "svd",
    "svdvals",
    "tensorinv",
    "tensorsolve",
    "vander",
    "vecdot",
    "vector_norm",
]
