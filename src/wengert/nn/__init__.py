"""Neural networks: modules, their functions, and values for parameters to begin with.

The modules are imported when the first of them is used: `import wengert` does not wait for them.
"""

from typing import TYPE_CHECKING

from wengert._lazy import on_first_use
from wengert.nn import functional as functional
from wengert.nn import parameter as parameter
from wengert.nn.parameter import Buffer as Buffer
from wengert.nn.parameter import Parameter as Parameter

if TYPE_CHECKING:
    from wengert.nn import init as init
    from wengert.nn import modules as modules
    from wengert.nn import utils as utils
    from wengert.nn.modules import CELU as CELU
    from wengert.nn.modules import ELU as ELU
    from wengert.nn.modules import GELU as GELU
    from wengert.nn.modules import GLU as GLU
    from wengert.nn.modules import GRU as GRU
    from wengert.nn.modules import LSTM as LSTM
    from wengert.nn.modules import RNN as RNN
    from wengert.nn.modules import SELU as SELU
    from wengert.nn.modules import AlphaDropout as AlphaDropout
    from wengert.nn.modules import BatchNorm1d as BatchNorm1d
    from wengert.nn.modules import BatchNorm2d as BatchNorm2d
    from wengert.nn.modules import BatchNorm3d as BatchNorm3d
    from wengert.nn.modules import BCELoss as BCELoss
    from wengert.nn.modules import BCEWithLogitsLoss as BCEWithLogitsLoss
    from wengert.nn.modules import Bilinear as Bilinear
    from wengert.nn.modules import Container as Container
    from wengert.nn.modules import CosineEmbeddingLoss as CosineEmbeddingLoss
    from wengert.nn.modules import CosineSimilarity as CosineSimilarity
    from wengert.nn.modules import CrossEntropyLoss as CrossEntropyLoss
    from wengert.nn.modules import Dropout as Dropout
    from wengert.nn.modules import Embedding as Embedding
    from wengert.nn.modules import Flatten as Flatten
    from wengert.nn.modules import GaussianNLLLoss as GaussianNLLLoss
    from wengert.nn.modules import GroupNorm as GroupNorm
    from wengert.nn.modules import GRUCell as GRUCell
    from wengert.nn.modules import Hardshrink as Hardshrink
    from wengert.nn.modules import Hardsigmoid as Hardsigmoid
    from wengert.nn.modules import Hardswish as Hardswish
    from wengert.nn.modules import Hardtanh as Hardtanh
    from wengert.nn.modules import HingeEmbeddingLoss as HingeEmbeddingLoss
    from wengert.nn.modules import HuberLoss as HuberLoss
    from wengert.nn.modules import Identity as Identity
    from wengert.nn.modules import InstanceNorm1d as InstanceNorm1d
    from wengert.nn.modules import InstanceNorm2d as InstanceNorm2d
    from wengert.nn.modules import InstanceNorm3d as InstanceNorm3d
    from wengert.nn.modules import KLDivLoss as KLDivLoss
    from wengert.nn.modules import L1Loss as L1Loss
    from wengert.nn.modules import LayerNorm as LayerNorm
    from wengert.nn.modules import LeakyReLU as LeakyReLU
    from wengert.nn.modules import Linear as Linear
    from wengert.nn.modules import LogSigmoid as LogSigmoid
    from wengert.nn.modules import LogSoftmax as LogSoftmax
    from wengert.nn.modules import LSTMCell as LSTMCell
    from wengert.nn.modules import MarginRankingLoss as MarginRankingLoss
    from wengert.nn.modules import Mish as Mish
    from wengert.nn.modules import Module as Module
    from wengert.nn.modules import ModuleDict as ModuleDict
    from wengert.nn.modules import ModuleList as ModuleList
    from wengert.nn.modules import MSELoss as MSELoss
    from wengert.nn.modules import MultiheadAttention as MultiheadAttention
    from wengert.nn.modules import MultiLabelMarginLoss as MultiLabelMarginLoss
    from wengert.nn.modules import MultiLabelSoftMarginLoss as MultiLabelSoftMarginLoss
    from wengert.nn.modules import MultiMarginLoss as MultiMarginLoss
    from wengert.nn.modules import NLLLoss as NLLLoss
    from wengert.nn.modules import PairwiseDistance as PairwiseDistance
    from wengert.nn.modules import ParameterDict as ParameterDict
    from wengert.nn.modules import ParameterList as ParameterList
    from wengert.nn.modules import PoissonNLLLoss as PoissonNLLLoss
    from wengert.nn.modules import PReLU as PReLU
    from wengert.nn.modules import ReLU as ReLU
    from wengert.nn.modules import ReLU6 as ReLU6
    from wengert.nn.modules import RMSNorm as RMSNorm
    from wengert.nn.modules import RNNBase as RNNBase
    from wengert.nn.modules import RNNCell as RNNCell
    from wengert.nn.modules import RNNCellBase as RNNCellBase
    from wengert.nn.modules import RReLU as RReLU
    from wengert.nn.modules import Sequential as Sequential
    from wengert.nn.modules import Sigmoid as Sigmoid
    from wengert.nn.modules import SiLU as SiLU
    from wengert.nn.modules import SmoothL1Loss as SmoothL1Loss
    from wengert.nn.modules import SoftMarginLoss as SoftMarginLoss
    from wengert.nn.modules import Softmax as Softmax
    from wengert.nn.modules import Softmax2d as Softmax2d
    from wengert.nn.modules import Softmin as Softmin
    from wengert.nn.modules import Softplus as Softplus
    from wengert.nn.modules import Softshrink as Softshrink
    from wengert.nn.modules import Softsign as Softsign
    from wengert.nn.modules import Tanh as Tanh
    from wengert.nn.modules import Tanhshrink as Tanhshrink
    from wengert.nn.modules import Threshold as Threshold
    from wengert.nn.modules import Transformer as Transformer
    from wengert.nn.modules import TransformerDecoder as TransformerDecoder
    from wengert.nn.modules import TransformerDecoderLayer as TransformerDecoderLayer
    from wengert.nn.modules import TransformerEncoder as TransformerEncoder
    from wengert.nn.modules import TransformerEncoderLayer as TransformerEncoderLayer
    from wengert.nn.modules import TripletMarginLoss as TripletMarginLoss
    from wengert.nn.modules import TripletMarginWithDistanceLoss as TripletMarginWithDistanceLoss
    from wengert.nn.modules import Unflatten as Unflatten

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "GRU",
    "LSTM",
    "RNN",
    "SELU",
    "AlphaDropout",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "Bilinear",
    "Buffer",
    "Container",
    "CosineEmbeddingLoss",
    "CosineSimilarity",
    "CrossEntropyLoss",
    "Dropout",
    "Embedding",
    "Flatten",
    "GRUCell",
    "GaussianNLLLoss",
    "GroupNorm",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "HingeEmbeddingLoss",
    "HuberLoss",
    "Identity",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "KLDivLoss",
    "L1Loss",
    "LSTMCell",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSigmoid",
    "LogSoftmax",
    "MSELoss",
    "MarginRankingLoss",
    "Mish",
    "Module",
    "ModuleDict",
    "ModuleList",
    "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss",
    "MultiMarginLoss",
    "MultiheadAttention",
    "NLLLoss",
    "PReLU",
    "PairwiseDistance",
    "Parameter",
    "ParameterDict",
    "ParameterList",
    "PoissonNLLLoss",
    "RMSNorm",
    "RNNBase",
    "RNNCell",
    "RNNCellBase",
    "RReLU",
    "ReLU",
    "ReLU6",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "SmoothL1Loss",
    "SoftMarginLoss",
    "Softmax",
    "Softmax2d",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Tanh",
    "Tanhshrink",
    "Threshold",
    "Transformer",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
    "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
    "Unflatten",
    "functional",
    "init",
    "modules",
    "parameter",
    "utils",
]

if not TYPE_CHECKING:
    _here = {"Buffer", "Parameter", "functional", "parameter"}
    _own = {name: f"wengert.nn.{name}" for name in ("init", "modules", "utils")}
    __getattr__ = on_first_use(__name__, dict.fromkeys(set(__all__) - _here, "wengert.nn.modules") | _own)
