"""Linear algebra: products, powers and inverses of matrices, under the names of ``torch.linalg``."""

from wengert.functions.matrices import inverse as inv
from wengert.functions.matrices import linalg_cross as cross
from wengert.functions.matrices import matrix_power, multi_dot, vecdot
from wengert.functions.products import matmul

__all__ = ["cross", "inv", "matmul", "matrix_power", "multi_dot", "vecdot"]
