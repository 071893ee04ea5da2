"""Layers without state of ``torch.nn.functional``: linear maps, dropout, lookups, distances."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.engine.apply import apply
from wengert.engine.base import array_of, wrap
from wengert.engine.inplace import write
from wengert.functions.operands import cannot_multiply, in_c, not_implemented_for, raw_of_tensor, same_dtype, shown
from wengert.functions.options import integer, require_tensor, type_name
from wengert.functions.products import check_mm, matmul
from wengert.functions.random import default_generator
from wengert.ops.arithmetic import MUL
from wengert.ops.contraction import TENSORDOT
from wengert.ops.normalization import EMBEDDING
from wengert.ops.products import LINEAR, LINEAR_BIAS
from wengert.ops.trilinear import BILINEAR
