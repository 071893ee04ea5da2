"""The Tensor class: the engine's slots and the methods of each family, put together."""

from __future__ import annotations

from wengert.engine.base import LEVELED, TensorBase, bind_tensor_class
from wengert.engine.dual_grad import gradients
from wengert.engine.leveled import DualState, apply_leveled, bind_dual_class
from wengert.engine.leveled_inplace import inplace_leveled
from wengert.engine.pointwise import bind_fast_class
from wengert.functions.activations import ActivationMethods
from wengert.functions.added_products import AddedProductMethods
from wengert.functions.arithmetic import ArithmeticMethods
from wengert.functions.array_protocol import ArrayMethods
from wengert.functions.axes import AxesMethods
from wengert.functions.bits import BitMethods
from wengert.functions.compare import CompareMethods
from wengert.functions.complex_parts import ComplexMethods
from wengert.functions.contraction import ContractionMethods
from wengert.functions.convert import ConvertMethods
from wengert.functions.copying import CopyMethods
from wengert.functions.creation import CreationMethods
from wengert.functions.data import DataMethods
from wengert.functions.diagonals import DiagonalMethods
from wengert.functions.differences import DifferenceMethods
from wengert.functions.division import DivisionMethods
from wengert.functions.dlpack import DlpackMethods
from wengert.functions.elementary import ElementaryMethods
from wengert.functions.error_gamma import ErrorGammaMethods
from wengert.functions.extrema import ExtremaMethods
from wengert.functions.filling import FillingMethods
from wengert.functions.getitem import IndexingMethods
from wengert.functions.graph import GraphMethods
from wengert.functions.indexing import ChoosingMethods
from wengert.functions.info import InfoMethods
from wengert.functions.legacy import LegacyMethods
from wengert.functions.linalg_names import DecompositionMethods
from wengert.functions.mapping import MappingMethods
from wengert.functions.matrices import MatrixMethods
from wengert.functions.movement import MovementMethods
from wengert.functions.norms import NormMethods
from wengert.functions.numpy_protocol import NumpyMethods
from wengert.functions.padding import PaddingMethods
from wengert.functions.powers import PowerMethods
from wengert.functions.products import ProductMethods
from wengert.functions.quantiles import QuantileMethods
from wengert.functions.random_fills import RandomFillMethods
from wengert.functions.reduce import ReduceMethods
from wengert.functions.reflectors import ReflectorMethods
from wengert.functions.repeating import RepeatingMethods
from wengert.functions.rounding import RoundingMethods
from wengert.functions.sampling import SamplingMethods
from wengert.functions.scan import ScanMethods
from wengert.functions.scatter import ScatterMethods
from wengert.functions.search import SearchMethods
from wengert.functions.select import SelectMethods
from wengert.functions.short_time import ShortTimeMethods
from wengert.functions.sorting import SortingMethods
from wengert.functions.specials import SpecialMethods
from wengert.functions.splitting import SplittingMethods
from wengert.functions.statistics import StatisticsMethods
from wengert.functions.strided import StridedMethods
from wengert.functions.text import TextMethods, tensor_to_text
from wengert.functions.variance import VarianceMethods
from wengert.functions.writing import WritingMethods


class Tensor(
    TensorBase,  # first, where Python finds it at once when it asks whether a tensor is one
    ActivationMethods,
    AddedProductMethods,
    ArithmeticMethods,
    ArrayMethods,
    AxesMethods,
    BitMethods,
    ChoosingMethods,
    CompareMethods,
    ComplexMethods,
    ContractionMethods,
    ConvertMethods,
    CopyMethods,
    CreationMethods,
    StridedMethods,
    ReflectorMethods,
    ShortTimeMethods,
    DataMethods,
    DiagonalMethods,
    DifferenceMethods,
    DivisionMethods,
    DlpackMethods,
    ElementaryMethods,
    ErrorGammaMethods,
    ExtremaMethods,
    FillingMethods,
    MappingMethods,
    GraphMethods,
    IndexingMethods,
    InfoMethods,
    LegacyMethods,
    DecompositionMethods,
    MatrixMethods,
    MovementMethods,
    NormMethods,
    NumpyMethods,
    PaddingMethods,
    PowerMethods,
    ProductMethods,
    QuantileMethods,
    RandomFillMethods,
    ReduceMethods,
    RepeatingMethods,
    RoundingMethods,
    SamplingMethods,
    ScanMethods,
    ScatterMethods,
    SearchMethods,
    SelectMethods,
    SortingMethods,
    SpecialMethods,
    SplittingMethods,
    StatisticsMethods,
    TextMethods,
    VarianceMethods,
    WritingMethods,
):
    """A multi-dimensional array of one dtype that can track the operations on it.

    Make one with :func:`wengert.tensor` and its relatives. With ``requires_grad=True`` every operation on it is
    recorded, and ``backward()`` on a result computes the derivatives.

    >>> import wengert as torch
    >>> x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> (x**2).mean().backward()
    >>> x.grad
    tensor([0.6667, 1.3333, 2.0000])
    """

    __slots__ = ()
    __module__ = "wengert"


class BatchedTensor(Tensor):
    """A tensor inside ``vmap``: one member of the batch to look at, the whole batch to compute with."""

    __slots__ = ()
    __module__ = "wengert"


class DualTensor(DualState, Tensor):
    """A tensor with a tangent, within one level of forward mode."""

    __slots__ = ()
    __module__ = "wengert"

    def __repr__(self, *, tensor_contents: object = None) -> str:
        level, primal, tangent, _ = self._dual
        return tensor_to_text(primal, tangent=f"{tangent}") if level.open else repr(primal)


BatchedTensor.__name__ = DualTensor.__name__ = "Tensor"
bind_tensor_class(Tensor, BatchedTensor)
bind_dual_class(DualTensor)
LEVELED.classes = frozenset((BatchedTensor, DualTensor))
LEVELED.apply, LEVELED.inplace, LEVELED.gradients = apply_leveled, inplace_leveled, gradients
bind_fast_class(Tensor)

__all__ = ["Tensor"]
