"""Neural networks: modules, their functions, and values for parameters to begin with.

The modules are imported when the first of them is used: `import wengert` does not wait for them.
"""

from typing import TYPE_CHECKING

from wengert._lazy import on_first_use
from wengert.nn import functional as functional
from wengert.nn import parameter as parameter
from wengert.nn.parameter import Buffer as Buffer
from wengert.nn.parameter import Parameter as Parameter
from wengert.nn.parameter import UninitializedBuffer as UninitializedBuffer
from wengert.nn.parameter import UninitializedParameter as UninitializedParameter

if TYPE_CHECKING:
    from wengert.nn import attention as attention
    from wengert.nn import grad as grad
    from wengert.nn import init as init
    from wengert.nn import modules as modules
    from wengert.nn import parallel as parallel
    from wengert.nn import utils as utils
    from wengert.nn.modules import CELU as CELU
    from wengert.nn.modules import ELU as ELU
    from wengert.nn.modules import GELU as GELU
    from wengert.nn.modules import GLU as GLU
    from wengert.nn.modules import GRU as GRU
    from wengert.nn.modules import LSTM as LSTM
    from wengert.nn.modules import RNN as RNN
    from wengert.nn.modules import SELU as SELU
    from wengert.nn.modules import AdaptiveAvgPool1d as AdaptiveAvgPool1d
    from wengert.nn.modules import AdaptiveAvgPool2d as AdaptiveAvgPool2d
    from wengert.nn.modules import AdaptiveAvgPool3d as AdaptiveAvgPool3d
    from wengert.nn.modules import AdaptiveLogSoftmaxWithLoss as AdaptiveLogSoftmaxWithLoss
    from wengert.nn.modules import AdaptiveMaxPool1d as AdaptiveMaxPool1d
    from wengert.nn.modules import AdaptiveMaxPool2d as AdaptiveMaxPool2d
    from wengert.nn.modules import AdaptiveMaxPool3d as AdaptiveMaxPool3d
    from wengert.nn.modules import AlphaDropout as AlphaDropout
    from wengert.nn.modules import AvgPool1d as AvgPool1d
    from wengert.nn.modules import AvgPool2d as AvgPool2d
    from wengert.nn.modules import AvgPool3d as AvgPool3d
    from wengert.nn.modules import BatchNorm1d as BatchNorm1d
    from wengert.nn.modules import BatchNorm2d as BatchNorm2d
    from wengert.nn.modules import BatchNorm3d as BatchNorm3d
    from wengert.nn.modules import BCELoss as BCELoss
    from wengert.nn.modules import BCEWithLogitsLoss as BCEWithLogitsLoss
    from wengert.nn.modules import Bilinear as Bilinear
    from wengert.nn.modules import ChannelShuffle as ChannelShuffle
    from wengert.nn.modules import CircularPad1d as CircularPad1d
    from wengert.nn.modules import CircularPad2d as CircularPad2d
    from wengert.nn.modules import CircularPad3d as CircularPad3d
    from wengert.nn.modules import ConstantPad1d as ConstantPad1d
    from wengert.nn.modules import ConstantPad2d as ConstantPad2d
    from wengert.nn.modules import ConstantPad3d as ConstantPad3d
    from wengert.nn.modules import Container as Container
    from wengert.nn.modules import Conv1d as Conv1d
    from wengert.nn.modules import Conv2d as Conv2d
    from wengert.nn.modules import Conv3d as Conv3d
    from wengert.nn.modules import ConvTranspose1d as ConvTranspose1d
    from wengert.nn.modules import ConvTranspose2d as ConvTranspose2d
    from wengert.nn.modules import ConvTranspose3d as ConvTranspose3d
    from wengert.nn.modules import CosineEmbeddingLoss as CosineEmbeddingLoss
    from wengert.nn.modules import CosineSimilarity as CosineSimilarity
    from wengert.nn.modules import CrossEntropyLoss as CrossEntropyLoss
    from wengert.nn.modules import CTCLoss as CTCLoss
    from wengert.nn.modules import Dropout as Dropout
    from wengert.nn.modules import Dropout1d as Dropout1d
    from wengert.nn.modules import Dropout2d as Dropout2d
    from wengert.nn.modules import Dropout3d as Dropout3d
    from wengert.nn.modules import Embedding as Embedding
    from wengert.nn.modules import EmbeddingBag as EmbeddingBag
    from wengert.nn.modules import FeatureAlphaDropout as FeatureAlphaDropout
    from wengert.nn.modules import Flatten as Flatten
    from wengert.nn.modules import Fold as Fold
    from wengert.nn.modules import FractionalMaxPool2d as FractionalMaxPool2d
    from wengert.nn.modules import FractionalMaxPool3d as FractionalMaxPool3d
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
    from wengert.nn.modules import LazyBatchNorm1d as LazyBatchNorm1d
    from wengert.nn.modules import LazyBatchNorm2d as LazyBatchNorm2d
    from wengert.nn.modules import LazyBatchNorm3d as LazyBatchNorm3d
    from wengert.nn.modules import LazyConv1d as LazyConv1d
    from wengert.nn.modules import LazyConv2d as LazyConv2d
    from wengert.nn.modules import LazyConv3d as LazyConv3d
    from wengert.nn.modules import LazyConvTranspose1d as LazyConvTranspose1d
    from wengert.nn.modules import LazyConvTranspose2d as LazyConvTranspose2d
    from wengert.nn.modules import LazyConvTranspose3d as LazyConvTranspose3d
    from wengert.nn.modules import LazyInstanceNorm1d as LazyInstanceNorm1d
    from wengert.nn.modules import LazyInstanceNorm2d as LazyInstanceNorm2d
    from wengert.nn.modules import LazyInstanceNorm3d as LazyInstanceNorm3d
    from wengert.nn.modules import LazyLinear as LazyLinear
    from wengert.nn.modules import LeakyReLU as LeakyReLU
    from wengert.nn.modules import Linear as Linear
    from wengert.nn.modules import LocalResponseNorm as LocalResponseNorm
    from wengert.nn.modules import LogSigmoid as LogSigmoid
    from wengert.nn.modules import LogSoftmax as LogSoftmax
    from wengert.nn.modules import LPPool1d as LPPool1d
    from wengert.nn.modules import LPPool2d as LPPool2d
    from wengert.nn.modules import LPPool3d as LPPool3d
    from wengert.nn.modules import LSTMCell as LSTMCell
    from wengert.nn.modules import MarginRankingLoss as MarginRankingLoss
    from wengert.nn.modules import MaxPool1d as MaxPool1d
    from wengert.nn.modules import MaxPool2d as MaxPool2d
    from wengert.nn.modules import MaxPool3d as MaxPool3d
    from wengert.nn.modules import MaxUnpool1d as MaxUnpool1d
    from wengert.nn.modules import MaxUnpool2d as MaxUnpool2d
    from wengert.nn.modules import MaxUnpool3d as MaxUnpool3d
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
    from wengert.nn.modules import NLLLoss2d as NLLLoss2d
    from wengert.nn.modules import PairwiseDistance as PairwiseDistance
    from wengert.nn.modules import ParameterDict as ParameterDict
    from wengert.nn.modules import ParameterList as ParameterList
    from wengert.nn.modules import PixelShuffle as PixelShuffle
    from wengert.nn.modules import PixelUnshuffle as PixelUnshuffle
    from wengert.nn.modules import PoissonNLLLoss as PoissonNLLLoss
    from wengert.nn.modules import PReLU as PReLU
    from wengert.nn.modules import ReflectionPad1d as ReflectionPad1d
    from wengert.nn.modules import ReflectionPad2d as ReflectionPad2d
    from wengert.nn.modules import ReflectionPad3d as ReflectionPad3d
    from wengert.nn.modules import ReLU as ReLU
    from wengert.nn.modules import ReLU6 as ReLU6
    from wengert.nn.modules import ReplicationPad1d as ReplicationPad1d
    from wengert.nn.modules import ReplicationPad2d as ReplicationPad2d
    from wengert.nn.modules import ReplicationPad3d as ReplicationPad3d
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
    from wengert.nn.modules import SyncBatchNorm as SyncBatchNorm
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
    from wengert.nn.modules import Unfold as Unfold
    from wengert.nn.modules import Upsample as Upsample
    from wengert.nn.modules import UpsamplingBilinear2d as UpsamplingBilinear2d
    from wengert.nn.modules import UpsamplingNearest2d as UpsamplingNearest2d
    from wengert.nn.modules import ZeroPad1d as ZeroPad1d
    from wengert.nn.modules import ZeroPad2d as ZeroPad2d
    from wengert.nn.modules import ZeroPad3d as ZeroPad3d
    from wengert.nn.parallel import DataParallel as DataParallel

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "GRU",
    "LSTM",
    "RNN",
    "SELU",
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveLogSoftmaxWithLoss",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "AlphaDropout",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "Bilinear",
    "Buffer",
    "CTCLoss",
    "ChannelShuffle",
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "Container",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "CosineEmbeddingLoss",
    "CosineSimilarity",
    "CrossEntropyLoss",
    "DataParallel",
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
    "Embedding",
    "EmbeddingBag",
    "FeatureAlphaDropout",
    "Flatten",
    "Fold",
    "FractionalMaxPool2d",
    "FractionalMaxPool3d",
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
    "LPPool1d",
    "LPPool2d",
    "LPPool3d",
    "LSTMCell",
    "LayerNorm",
    "LazyBatchNorm1d",
    "LazyBatchNorm2d",
    "LazyBatchNorm3d",
    "LazyConv1d",
    "LazyConv2d",
    "LazyConv3d",
    "LazyConvTranspose1d",
    "LazyConvTranspose2d",
    "LazyConvTranspose3d",
    "LazyInstanceNorm1d",
    "LazyInstanceNorm2d",
    "LazyInstanceNorm3d",
    "LazyLinear",
    "LeakyReLU",
    "Linear",
    "LocalResponseNorm",
    "LogSigmoid",
    "LogSoftmax",
    "MSELoss",
    "MarginRankingLoss",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "MaxUnpool1d",
    "MaxUnpool2d",
    "MaxUnpool3d",
    "Mish",
    "Module",
    "ModuleDict",
    "ModuleList",
    "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss",
    "MultiMarginLoss",
    "MultiheadAttention",
    "NLLLoss",
    "NLLLoss2d",
    "PReLU",
    "PairwiseDistance",
    "Parameter",
    "ParameterDict",
    "ParameterList",
    "PixelShuffle",
    "PixelUnshuffle",
    "PoissonNLLLoss",
    "RMSNorm",
    "RNNBase",
    "RNNCell",
    "RNNCellBase",
    "RReLU",
    "ReLU",
    "ReLU6",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
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
    "SyncBatchNorm",
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
    "Unfold",
    "UninitializedBuffer",
    "UninitializedParameter",
    "Upsample",
    "UpsamplingBilinear2d",
    "UpsamplingNearest2d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
    "attention",
    "functional",
    "grad",
    "init",
    "modules",
    "parallel",
    "parameter",
    "utils",
]

if not TYPE_CHECKING:
    _here = {"Buffer", "Parameter", "UninitializedBuffer", "UninitializedParameter", "functional", "parameter"}
    _own = {name: f"wengert.nn.{name}" for name in ("attention", "grad", "init", "modules", "parallel", "utils")}
    _own["DataParallel"] = "wengert.nn.parallel"
    __getattr__ = on_first_use(__name__, dict.fromkeys(set(__all__) - _here, "wengert.nn.modules") | _own)
