"""Linear algebra: products, powers, inverses and norms of matrices, under the names of ``torch.linalg``."""

from wengert.functions.matrices import inverse as inv
from wengert.functions.matrices import linalg_cross as cross
from wengert.functions.matrices import matrix_power, multi_dot, vecdot
from wengert.functions.matrix_norms import linalg_norm as norm
from wengert.functions.matrix_norms import matrix_norm
from wengert.functions.norms import vector_norm
from wengert.functions.products import matmul

__all__ = ["cross", "inv", "matmul", "matrix_norm", "matrix_power", "multi_dot", "norm", "vecdot", "vector_norm"]
