"""Automatic differentiation: PyTorch's tensors and autograd on NumPy, with a graph that people can see into.

>>> import wengert as torch
>>> x = torch.tensor(3.0, requires_grad=True)
>>> y = x**2
>>> y
tensor(9., grad_fn=<PowBackward0>)
>>> y.backward()
>>> x.grad
tensor(6.)
"""

import typing as _typing
from math import e as e
from math import inf as inf
from math import nan as nan
from math import pi as pi

from wengert import _memory
from wengert import _return_types as return_types
from wengert import autograd as autograd
from wengert import backends as backends
from wengert import cuda as cuda
from wengert import fft as fft
from wengert import func as func
from wengert import linalg as linalg
from wengert import nn as nn
from wengert import random as random
from wengert import special as special
from wengert import testing as testing
from wengert import version as version
from wengert._device import device as device
from wengert._dtypes import bfloat16 as bfloat16
from wengert._dtypes import bool_ as bool
from wengert._dtypes import complex64 as cfloat
from wengert._dtypes import complex64 as complex64
from wengert._dtypes import complex128 as cdouble
from wengert._dtypes import complex128 as complex128
from wengert._dtypes import dtype as dtype
from wengert._dtypes import float16 as float16
from wengert._dtypes import float16 as half
from wengert._dtypes import float32 as float
from wengert._dtypes import float32 as float32
from wengert._dtypes import float64 as double
from wengert._dtypes import float64 as float64
from wengert._dtypes import get_default_dtype as get_default_dtype
from wengert._dtypes import int8 as int8
from wengert._dtypes import int16 as int16
from wengert._dtypes import int16 as short
from wengert._dtypes import int32 as int
from wengert._dtypes import int32 as int32
from wengert._dtypes import int64 as int64
from wengert._dtypes import int64 as long
from wengert._dtypes import set_default_dtype as set_default_dtype
from wengert._dtypes import uint8 as uint8
from wengert._dtypes import uint16 as uint16
from wengert._dtypes import uint32 as uint32
from wengert._dtypes import uint64 as uint64
from wengert._finfo import finfo as finfo
from wengert._finfo import iinfo as iinfo
from wengert._layout import channels_last as channels_last
from wengert._layout import channels_last_3d as channels_last_3d
from wengert._layout import contiguous_format as contiguous_format
from wengert._layout import layout as layout
from wengert._layout import memory_format as memory_format
from wengert._layout import preserve_format as preserve_format
from wengert._layout import sparse_coo as sparse_coo
from wengert._layout import strided as strided
from wengert._lazy import on_first_use as _on_first_use
from wengert._method_functions import abs_ as abs_
from wengert._method_functions import acos_ as acos_
from wengert._method_functions import acosh_ as acosh_
from wengert._method_functions import addmv_ as addmv_
from wengert._method_functions import arccos_ as arccos_
from wengert._method_functions import arccosh_ as arccosh_
from wengert._method_functions import arcsin_ as arcsin_
from wengert._method_functions import arcsinh_ as arcsinh_
from wengert._method_functions import arctan_ as arctan_
from wengert._method_functions import arctanh_ as arctanh_
from wengert._method_functions import asin_ as asin_
from wengert._method_functions import asinh_ as asinh_
from wengert._method_functions import atan_ as atan_
from wengert._method_functions import atanh_ as atanh_
from wengert._method_functions import ceil_ as ceil_
from wengert._method_functions import clamp_ as clamp_
from wengert._method_functions import clamp_max_ as clamp_max_
from wengert._method_functions import clamp_min_ as clamp_min_
from wengert._method_functions import clip_ as clip_
from wengert._method_functions import conj_physical_ as conj_physical_
from wengert._method_functions import cos_ as cos_
from wengert._method_functions import cosh_ as cosh_
from wengert._method_functions import deg2rad_ as deg2rad_
from wengert._method_functions import detach as detach
from wengert._method_functions import detach_ as detach_
from wengert._method_functions import erf_ as erf_
from wengert._method_functions import erfc_ as erfc_
from wengert._method_functions import exp2_ as exp2_
from wengert._method_functions import exp_ as exp_
from wengert._method_functions import expm1_ as expm1_
from wengert._method_functions import fix_ as fix_
from wengert._method_functions import floor_ as floor_
from wengert._method_functions import frac_ as frac_
from wengert._method_functions import gcd_ as gcd_
from wengert._method_functions import i0_ as i0_
from wengert._method_functions import lcm_ as lcm_
from wengert._method_functions import ldexp_ as ldexp_
from wengert._method_functions import log1p_ as log1p_
from wengert._method_functions import log2_ as log2_
from wengert._method_functions import log10_ as log10_
from wengert._method_functions import log_ as log_
from wengert._method_functions import logit_ as logit_
from wengert._method_functions import nan_to_num_ as nan_to_num_
from wengert._method_functions import neg_ as neg_
from wengert._method_functions import negative_ as negative_
from wengert._method_functions import rad2deg_ as rad2deg_
from wengert._method_functions import reciprocal_ as reciprocal_
from wengert._method_functions import round_ as round_
from wengert._method_functions import rsqrt_ as rsqrt_
from wengert._method_functions import sigmoid_ as sigmoid_
from wengert._method_functions import sin_ as sin_
from wengert._method_functions import sinc_ as sinc_
from wengert._method_functions import sinh_ as sinh_
from wengert._method_functions import sqrt_ as sqrt_
from wengert._method_functions import square_ as square_
from wengert._method_functions import tan_ as tan_
from wengert._method_functions import tanh_ as tanh_
from wengert._method_functions import trunc_ as trunc_
from wengert._method_functions import xlogy_ as xlogy_
from wengert._print_options import set_printoptions as set_printoptions
from wengert._promotion import can_cast as can_cast
from wengert._promotion import promote_types as promote_types
from wengert._reproducible import are_deterministic_algorithms_enabled as are_deterministic_algorithms_enabled
from wengert._reproducible import get_deterministic_debug_mode as get_deterministic_debug_mode
from wengert._reproducible import get_float32_matmul_precision as get_float32_matmul_precision
from wengert._reproducible import (
    is_deterministic_algorithms_warn_only_enabled as is_deterministic_algorithms_warn_only_enabled,
)
from wengert._reproducible import set_deterministic_debug_mode as set_deterministic_debug_mode
from wengert._reproducible import set_float32_matmul_precision as set_float32_matmul_precision
from wengert._reproducible import set_flush_denormal as set_flush_denormal
from wengert._reproducible import use_deterministic_algorithms as use_deterministic_algorithms
from wengert._size import Size as Size
from wengert._tensor import Tensor as Tensor
from wengert._version import __version__ as __version__
from wengert.autograd.anomaly_mode import is_anomaly_check_nan_enabled as is_anomaly_check_nan_enabled
from wengert.autograd.anomaly_mode import is_anomaly_enabled as is_anomaly_enabled
from wengert.autograd.grad_mode import enable_grad as enable_grad
from wengert.autograd.grad_mode import inference_mode as inference_mode
from wengert.autograd.grad_mode import is_grad_enabled as is_grad_enabled
from wengert.autograd.grad_mode import is_inference_mode_enabled as is_inference_mode_enabled
from wengert.autograd.grad_mode import no_grad as no_grad
from wengert.autograd.grad_mode import set_grad_enabled as set_grad_enabled
from wengert.compile.api import compile as compile
from wengert.engine.workers import get_num_interop_threads as get_num_interop_threads
from wengert.engine.workers import get_num_threads as get_num_threads
from wengert.engine.workers import set_num_interop_threads as set_num_interop_threads
from wengert.engine.workers import set_num_threads as set_num_threads
from wengert.func._control import cond as cond
from wengert.func._control import while_loop as while_loop
from wengert.func._vmap import vmap as vmap
from wengert.functions.activations import celu as celu
from wengert.functions.activations import celu_ as celu_
from wengert.functions.activations import hardshrink as hardshrink
from wengert.functions.activations import log_softmax as log_softmax
from wengert.functions.activations import prelu as prelu
from wengert.functions.activations import relu as relu
from wengert.functions.activations import relu_ as relu_
from wengert.functions.activations import selu as selu
from wengert.functions.activations import selu_ as selu_
from wengert.functions.activations import softmax as softmax
from wengert.functions.activations import threshold as threshold
from wengert.functions.activations import threshold_ as threshold_
from wengert.functions.added_products import addbmm as addbmm
from wengert.functions.added_products import addmm as addmm
from wengert.functions.added_products import addmv as addmv
from wengert.functions.added_products import addr as addr
from wengert.functions.added_products import baddbmm as baddbmm
from wengert.functions.arithmetic import add as add
from wengert.functions.arithmetic import addcdiv as addcdiv
from wengert.functions.arithmetic import addcmul as addcmul
from wengert.functions.arithmetic import lerp as lerp
from wengert.functions.arithmetic import mul as mul
from wengert.functions.arithmetic import multiply as multiply
from wengert.functions.arithmetic import neg as neg
from wengert.functions.arithmetic import negative as negative
from wengert.functions.arithmetic import positive as positive
from wengert.functions.arithmetic import reciprocal as reciprocal
from wengert.functions.arithmetic import rsub as rsub
from wengert.functions.arithmetic import sub as sub
from wengert.functions.arithmetic import subtract as subtract
from wengert.functions.axes import adjoint as adjoint
from wengert.functions.axes import moveaxis as moveaxis
from wengert.functions.axes import movedim as movedim
from wengert.functions.axes import narrow as narrow
from wengert.functions.axes import narrow_copy as narrow_copy
from wengert.functions.axes import permute as permute
from wengert.functions.axes import select as select
from wengert.functions.axes import squeeze as squeeze
from wengert.functions.axes import swapaxes as swapaxes
from wengert.functions.axes import swapdims as swapdims
from wengert.functions.axes import t as t
from wengert.functions.axes import transpose as transpose
from wengert.functions.axes import unsqueeze as unsqueeze
from wengert.functions.bits import bitwise_and as bitwise_and
from wengert.functions.bits import bitwise_left_shift as bitwise_left_shift
from wengert.functions.bits import bitwise_not as bitwise_not
from wengert.functions.bits import bitwise_or as bitwise_or
from wengert.functions.bits import bitwise_right_shift as bitwise_right_shift
from wengert.functions.bits import bitwise_xor as bitwise_xor
from wengert.functions.bits import gcd as gcd
from wengert.functions.bits import lcm as lcm
from wengert.functions.compare import allclose as allclose
from wengert.functions.compare import eq as eq
from wengert.functions.compare import equal as equal
from wengert.functions.compare import ge as ge
from wengert.functions.compare import greater as greater
from wengert.functions.compare import greater_equal as greater_equal
from wengert.functions.compare import gt as gt
from wengert.functions.compare import isclose as isclose
from wengert.functions.compare import isfinite as isfinite
from wengert.functions.compare import isinf as isinf
from wengert.functions.compare import isnan as isnan
from wengert.functions.compare import isneginf as isneginf
from wengert.functions.compare import isposinf as isposinf
from wengert.functions.compare import isreal as isreal
from wengert.functions.compare import le as le
from wengert.functions.compare import less as less
from wengert.functions.compare import less_equal as less_equal
from wengert.functions.compare import logical_and as logical_and
from wengert.functions.compare import logical_not as logical_not
from wengert.functions.compare import logical_or as logical_or
from wengert.functions.compare import logical_xor as logical_xor
from wengert.functions.compare import lt as lt
from wengert.functions.compare import ne as ne
from wengert.functions.compare import not_equal as not_equal
from wengert.functions.compare import signbit as signbit
from wengert.functions.complex_parts import abs as abs
from wengert.functions.complex_parts import absolute as absolute
from wengert.functions.complex_parts import angle as angle
from wengert.functions.complex_parts import complex as complex
from wengert.functions.complex_parts import conj as conj
from wengert.functions.complex_parts import conj_physical as conj_physical
from wengert.functions.complex_parts import imag as imag
from wengert.functions.complex_parts import is_complex as is_complex
from wengert.functions.complex_parts import is_conj as is_conj
from wengert.functions.complex_parts import is_floating_point as is_floating_point
from wengert.functions.complex_parts import is_neg as is_neg
from wengert.functions.complex_parts import is_signed as is_signed
from wengert.functions.complex_parts import polar as polar
from wengert.functions.complex_parts import real as real
from wengert.functions.complex_parts import resolve_conj as resolve_conj
from wengert.functions.complex_parts import resolve_neg as resolve_neg
from wengert.functions.complex_parts import sgn as sgn
from wengert.functions.complex_parts import sign as sign
from wengert.functions.complex_parts import view_as_complex as view_as_complex
from wengert.functions.complex_parts import view_as_real as view_as_real
from wengert.functions.contraction import einsum as einsum
from wengert.functions.contraction import inner as inner
from wengert.functions.contraction import tensordot as tensordot
from wengert.functions.copies import alias_copy as alias_copy
from wengert.functions.copies import as_strided_copy as as_strided_copy
from wengert.functions.copies import diagonal_copy as diagonal_copy
from wengert.functions.copies import expand_copy as expand_copy
from wengert.functions.copies import permute_copy as permute_copy
from wengert.functions.copies import select_copy as select_copy
from wengert.functions.copies import split_with_sizes_copy as split_with_sizes_copy
from wengert.functions.copies import squeeze_copy as squeeze_copy
from wengert.functions.copies import t_copy as t_copy
from wengert.functions.copies import transpose_copy as transpose_copy
from wengert.functions.copies import unbind_copy as unbind_copy
from wengert.functions.copies import unfold_copy as unfold_copy
from wengert.functions.copies import unsqueeze_copy as unsqueeze_copy
from wengert.functions.copies import view_copy as view_copy
from wengert.functions.creation import empty as empty
from wengert.functions.creation import eye as eye
from wengert.functions.creation import full as full
from wengert.functions.creation import ones as ones
from wengert.functions.creation import zeros as zeros
from wengert.functions.data import as_tensor as as_tensor
from wengert.functions.data import asarray as asarray
from wengert.functions.data import from_numpy as from_numpy
from wengert.functions.data import frombuffer as frombuffer
from wengert.functions.data import scalar_tensor as scalar_tensor
from wengert.functions.data import tensor as tensor
from wengert.functions.diagonals import diag as diag
from wengert.functions.diagonals import diag_embed as diag_embed
from wengert.functions.diagonals import diagflat as diagflat
from wengert.functions.diagonals import diagonal as diagonal
from wengert.functions.diagonals import tril as tril
from wengert.functions.diagonals import tril_indices as tril_indices
from wengert.functions.diagonals import triu as triu
from wengert.functions.diagonals import triu_indices as triu_indices
from wengert.functions.differences import cumulative_trapezoid as cumulative_trapezoid
from wengert.functions.differences import diff as diff
from wengert.functions.differences import trapezoid as trapezoid
from wengert.functions.differences import trapz as trapz
from wengert.functions.division import div as div
from wengert.functions.division import divide as divide
from wengert.functions.division import floor_divide as floor_divide
from wengert.functions.division import fmod as fmod
from wengert.functions.division import remainder as remainder
from wengert.functions.division import true_divide as true_divide
from wengert.functions.dlpack import from_dlpack as from_dlpack
from wengert.functions.elementary import acos as acos
from wengert.functions.elementary import acosh as acosh
from wengert.functions.elementary import arccos as arccos
from wengert.functions.elementary import arccosh as arccosh
from wengert.functions.elementary import arcsin as arcsin
from wengert.functions.elementary import arcsinh as arcsinh
from wengert.functions.elementary import arctan as arctan
from wengert.functions.elementary import arctan2 as arctan2
from wengert.functions.elementary import arctanh as arctanh
from wengert.functions.elementary import asin as asin
from wengert.functions.elementary import asinh as asinh
from wengert.functions.elementary import atan as atan
from wengert.functions.elementary import atan2 as atan2
from wengert.functions.elementary import atanh as atanh
from wengert.functions.elementary import cos as cos
from wengert.functions.elementary import cosh as cosh
from wengert.functions.elementary import deg2rad as deg2rad
from wengert.functions.elementary import exp as exp
from wengert.functions.elementary import exp2 as exp2
from wengert.functions.elementary import expm1 as expm1
from wengert.functions.elementary import log as log
from wengert.functions.elementary import log1p as log1p
from wengert.functions.elementary import log2 as log2
from wengert.functions.elementary import log10 as log10
from wengert.functions.elementary import logaddexp as logaddexp
from wengert.functions.elementary import logaddexp2 as logaddexp2
from wengert.functions.elementary import rad2deg as rad2deg
from wengert.functions.elementary import sigmoid as sigmoid
from wengert.functions.elementary import sin as sin
from wengert.functions.elementary import sinc as sinc
from wengert.functions.elementary import sinh as sinh
from wengert.functions.elementary import tan as tan
from wengert.functions.elementary import tanh as tanh
from wengert.functions.elementary import xlogy as xlogy
from wengert.functions.error_gamma import digamma as digamma
from wengert.functions.error_gamma import erf as erf
from wengert.functions.error_gamma import erfc as erfc
from wengert.functions.error_gamma import erfinv as erfinv
from wengert.functions.error_gamma import lgamma as lgamma
from wengert.functions.error_gamma import logit as logit
from wengert.functions.error_gamma import polygamma as polygamma
from wengert.functions.extrema import amax as amax
from wengert.functions.extrema import amin as amin
from wengert.functions.extrema import aminmax as aminmax
from wengert.functions.extrema import argmax as argmax
from wengert.functions.extrema import argmin as argmin
from wengert.functions.extrema import max as max
from wengert.functions.extrema import min as min
from wengert.functions.filling import fill as fill
from wengert.functions.filling import fill_ as fill_
from wengert.functions.filling import zero_ as zero_
from wengert.functions.generators import Generator as Generator
from wengert.functions.generators import default_generator as default_generator
from wengert.functions.generators import get_rng_state as get_rng_state
from wengert.functions.generators import initial_seed as initial_seed
from wengert.functions.generators import manual_seed as manual_seed
from wengert.functions.generators import seed as seed
from wengert.functions.generators import set_rng_state as set_rng_state
from wengert.functions.graph import is_inference as is_inference
from wengert.functions.indexing import argwhere as argwhere
from wengert.functions.indexing import gather as gather
from wengert.functions.indexing import index_select as index_select
from wengert.functions.indexing import masked_select as masked_select
from wengert.functions.indexing import nonzero as nonzero
from wengert.functions.indexing import take as take
from wengert.functions.indexing import take_along_dim as take_along_dim
from wengert.functions.indexing import unravel_index as unravel_index
from wengert.functions.info import get_default_device as get_default_device
from wengert.functions.info import is_nonzero as is_nonzero
from wengert.functions.info import is_same_size as is_same_size
from wengert.functions.info import is_tensor as is_tensor
from wengert.functions.info import numel as numel
from wengert.functions.info import result_type as result_type
from wengert.functions.info import set_default_device as set_default_device
from wengert.functions.joining import atleast_1d as atleast_1d
from wengert.functions.joining import atleast_2d as atleast_2d
from wengert.functions.joining import atleast_3d as atleast_3d
from wengert.functions.joining import block_diag as block_diag
from wengert.functions.joining import cartesian_prod as cartesian_prod
from wengert.functions.joining import cat as cat
from wengert.functions.joining import column_stack as column_stack
from wengert.functions.joining import combinations as combinations
from wengert.functions.joining import concat as concat
from wengert.functions.joining import concatenate as concatenate
from wengert.functions.joining import dstack as dstack
from wengert.functions.joining import hstack as hstack
from wengert.functions.joining import meshgrid as meshgrid
from wengert.functions.joining import row_stack as row_stack
from wengert.functions.joining import stack as stack
from wengert.functions.joining import vstack as vstack
from wengert.functions.legacy import BoolTensor as BoolTensor
from wengert.functions.legacy import ByteTensor as ByteTensor
from wengert.functions.legacy import CharTensor as CharTensor
from wengert.functions.legacy import DoubleTensor as DoubleTensor
from wengert.functions.legacy import FloatTensor as FloatTensor
from wengert.functions.legacy import HalfTensor as HalfTensor
from wengert.functions.legacy import IntTensor as IntTensor
from wengert.functions.legacy import LongTensor as LongTensor
from wengert.functions.legacy import ShortTensor as ShortTensor
from wengert.functions.legacy import set_default_tensor_type as set_default_tensor_type
from wengert.functions.legacy import typename as typename
from wengert.functions.likes import empty_like as empty_like
from wengert.functions.likes import full_like as full_like
from wengert.functions.likes import ones_like as ones_like
from wengert.functions.likes import zeros_like as zeros_like
from wengert.functions.linalg_factors import cholesky as cholesky
from wengert.functions.linalg_factors import cholesky_inverse as cholesky_inverse
from wengert.functions.linalg_factors import cholesky_solve as cholesky_solve
from wengert.functions.linalg_factors import lu_unpack as lu_unpack
from wengert.functions.linalg_factors import qr as qr
from wengert.functions.linalg_factors import triangular_solve as triangular_solve
from wengert.functions.linalg_names import lu_solve as lu_solve
from wengert.functions.linalg_pseudoinverse import pinverse as pinverse
from wengert.functions.linalg_solving import det as det
from wengert.functions.linalg_solving import logdet as logdet
from wengert.functions.linalg_solving import slogdet as slogdet
from wengert.functions.linalg_spectra import matrix_exp as matrix_exp
from wengert.functions.linalg_spectra import svd as svd
from wengert.functions.low_rank import pca_lowrank as pca_lowrank
from wengert.functions.low_rank import svd_lowrank as svd_lowrank
from wengert.functions.matrices import cdist as cdist
from wengert.functions.matrices import chain_matmul as chain_matmul
from wengert.functions.matrices import cross as cross
from wengert.functions.matrices import inverse as inverse
from wengert.functions.matrices import kron as kron
from wengert.functions.matrices import matrix_power as matrix_power
from wengert.functions.matrices import trace as trace
from wengert.functions.matrices import vander as vander
from wengert.functions.movement import broadcast_shapes as broadcast_shapes
from wengert.functions.movement import broadcast_tensors as broadcast_tensors
from wengert.functions.movement import broadcast_to as broadcast_to
from wengert.functions.movement import clone as clone
from wengert.functions.movement import flatten as flatten
from wengert.functions.movement import ravel as ravel
from wengert.functions.movement import reshape as reshape
from wengert.functions.movement import unflatten as unflatten
from wengert.functions.norms import dist as dist
from wengert.functions.norms import norm as norm
from wengert.functions.norms import renorm as renorm
from wengert.functions.padding import as_strided as as_strided
from wengert.functions.padding import constant_pad_nd as constant_pad_nd
from wengert.functions.powers import float_power as float_power
from wengert.functions.powers import hypot as hypot
from wengert.functions.powers import pow as pow
from wengert.functions.powers import rsqrt as rsqrt
from wengert.functions.powers import sqrt as sqrt
from wengert.functions.powers import square as square
from wengert.functions.products import bmm as bmm
from wengert.functions.products import dot as dot
from wengert.functions.products import ger as ger
from wengert.functions.products import matmul as matmul
from wengert.functions.products import mm as mm
from wengert.functions.products import mv as mv
from wengert.functions.products import outer as outer
from wengert.functions.products import vdot as vdot
from wengert.functions.quantiles import nanquantile as nanquantile
from wengert.functions.quantiles import quantile as quantile
from wengert.functions.random import rand as rand
from wengert.functions.random import rand_like as rand_like
from wengert.functions.random import randint as randint
from wengert.functions.random import randint_like as randint_like
from wengert.functions.random import randn as randn
from wengert.functions.random import randn_like as randn_like
from wengert.functions.random import randperm as randperm
from wengert.functions.ranges import arange as arange
from wengert.functions.ranges import linspace as linspace
from wengert.functions.ranges import logspace as logspace
from wengert.functions.ranges import range as range
from wengert.functions.reduce import all as all
from wengert.functions.reduce import any as any
from wengert.functions.reduce import count_nonzero as count_nonzero
from wengert.functions.reduce import logsumexp as logsumexp
from wengert.functions.reduce import mean as mean
from wengert.functions.reduce import nanmean as nanmean
from wengert.functions.reduce import nansum as nansum
from wengert.functions.reduce import prod as prod
from wengert.functions.reduce import sum as sum
from wengert.functions.reflectors import geqrf as geqrf
from wengert.functions.reflectors import lu as lu
from wengert.functions.reflectors import ormqr as ormqr
from wengert.functions.repeating import flip as flip
from wengert.functions.repeating import fliplr as fliplr
from wengert.functions.repeating import flipud as flipud
from wengert.functions.repeating import repeat_interleave as repeat_interleave
from wengert.functions.repeating import roll as roll
from wengert.functions.repeating import rot90 as rot90
from wengert.functions.repeating import tile as tile
from wengert.functions.rounding import ceil as ceil
from wengert.functions.rounding import copysign as copysign
from wengert.functions.rounding import fix as fix
from wengert.functions.rounding import floor as floor
from wengert.functions.rounding import frac as frac
from wengert.functions.rounding import frexp as frexp
from wengert.functions.rounding import heaviside as heaviside
from wengert.functions.rounding import ldexp as ldexp
from wengert.functions.rounding import nextafter as nextafter
from wengert.functions.rounding import round as round
from wengert.functions.rounding import trunc as trunc
from wengert.functions.sampling import bernoulli as bernoulli
from wengert.functions.sampling import binomial as binomial
from wengert.functions.sampling import multinomial as multinomial
from wengert.functions.sampling import normal as normal
from wengert.functions.sampling import poisson as poisson
from wengert.functions.scan import cummax as cummax
from wengert.functions.scan import cummin as cummin
from wengert.functions.scan import cumprod as cumprod
from wengert.functions.scan import cumsum as cumsum
from wengert.functions.scan import logcumsumexp as logcumsumexp
from wengert.functions.scatter import index_add as index_add
from wengert.functions.scatter import index_copy as index_copy
from wengert.functions.scatter import index_fill as index_fill
from wengert.functions.scatter import index_reduce as index_reduce
from wengert.functions.scatter import scatter as scatter
from wengert.functions.scatter import scatter_add as scatter_add
from wengert.functions.scatter import scatter_reduce as scatter_reduce
from wengert.functions.search import bincount as bincount
from wengert.functions.search import bucketize as bucketize
from wengert.functions.search import histc as histc
from wengert.functions.search import searchsorted as searchsorted
from wengert.functions.search import unique as unique
from wengert.functions.search import unique_consecutive as unique_consecutive
from wengert.functions.select import clamp as clamp
from wengert.functions.select import clamp_max as clamp_max
from wengert.functions.select import clamp_min as clamp_min
from wengert.functions.select import clip as clip
from wengert.functions.select import fmax as fmax
from wengert.functions.select import fmin as fmin
from wengert.functions.select import maximum as maximum
from wengert.functions.select import minimum as minimum
from wengert.functions.select import nan_to_num as nan_to_num
from wengert.functions.select import where as where
from wengert.functions.short_time import istft as istft
from wengert.functions.short_time import stft as stft
from wengert.functions.sorting import argsort as argsort
from wengert.functions.sorting import kthvalue as kthvalue
from wengert.functions.sorting import median as median
from wengert.functions.sorting import mode as mode
from wengert.functions.sorting import msort as msort
from wengert.functions.sorting import nanmedian as nanmedian
from wengert.functions.sorting import sort as sort
from wengert.functions.sorting import topk as topk
from wengert.functions.specials import i0 as i0
from wengert.functions.specials import igamma as igamma
from wengert.functions.specials import igammac as igammac
from wengert.functions.specials import mvlgamma as mvlgamma
from wengert.functions.splitting import chunk as chunk
from wengert.functions.splitting import dsplit as dsplit
from wengert.functions.splitting import hsplit as hsplit
from wengert.functions.splitting import split as split
from wengert.functions.splitting import split_with_sizes as split_with_sizes
from wengert.functions.splitting import tensor_split as tensor_split
from wengert.functions.splitting import unbind as unbind
from wengert.functions.splitting import unsafe_chunk as unsafe_chunk
from wengert.functions.splitting import unsafe_split as unsafe_split
from wengert.functions.splitting import unsafe_split_with_sizes as unsafe_split_with_sizes
from wengert.functions.splitting import vsplit as vsplit
from wengert.functions.statistics import corrcoef as corrcoef
from wengert.functions.statistics import cov as cov
from wengert.functions.statistics import gradient as gradient
from wengert.functions.statistics import histogram as histogram
from wengert.functions.statistics import histogramdd as histogramdd
from wengert.functions.statistics import isin as isin
from wengert.functions.strided import as_strided_scatter as as_strided_scatter
from wengert.functions.strided import empty_permuted as empty_permuted
from wengert.functions.strided import empty_strided as empty_strided
from wengert.functions.strided import nonzero_static as nonzero_static
from wengert.functions.strided import resize_as_ as resize_as_
from wengert.functions.variance import std as std
from wengert.functions.variance import std_mean as std_mean
from wengert.functions.variance import var as var
from wengert.functions.variance import var_mean as var_mean
from wengert.functions.writing import diagonal_scatter as diagonal_scatter
from wengert.functions.writing import index_put as index_put
from wengert.functions.writing import index_put_ as index_put_
from wengert.functions.writing import masked_fill as masked_fill
from wengert.functions.writing import masked_scatter as masked_scatter
from wengert.functions.writing import put as put
from wengert.functions.writing import select_scatter as select_scatter
from wengert.functions.writing import slice_scatter as slice_scatter
from wengert.nn._grid_sample import grid_sampler as grid_sampler
from wengert.nn._grid_sample import grid_sampler_2d as grid_sampler_2d
from wengert.nn._grid_sample import grid_sampler_3d as grid_sampler_3d
from wengert.nn._group_norm import native_group_norm as native_group_norm
from wengert.nn._layers import feature_alpha_dropout as feature_alpha_dropout
from wengert.nn._local import pdist as pdist
from wengert.nn._normalization import native_batch_norm as native_batch_norm
from wengert.nn._normalization import native_layer_norm as native_layer_norm
from wengert.nn._operators import binary_cross_entropy_with_logits as binary_cross_entropy_with_logits
from wengert.nn._operators import cosine_embedding_loss as cosine_embedding_loss
from wengert.nn._operators import ctc_loss as ctc_loss
from wengert.nn._operators import embedding as embedding
from wengert.nn._operators import hinge_embedding_loss as hinge_embedding_loss
from wengert.nn._operators import kl_div as kl_div
from wengert.nn._operators import margin_ranking_loss as margin_ranking_loss
from wengert.nn._operators import poisson_nll_loss as poisson_nll_loss
from wengert.nn._operators import triplet_margin_loss as triplet_margin_loss
from wengert.nn.functional import adaptive_avg_pool1d as adaptive_avg_pool1d
from wengert.nn.functional import alpha_dropout as alpha_dropout
from wengert.nn.functional import avg_pool1d as avg_pool1d
from wengert.nn.functional import bilinear as bilinear
from wengert.nn.functional import channel_shuffle as channel_shuffle
from wengert.nn.functional import conv1d as conv1d
from wengert.nn.functional import conv2d as conv2d
from wengert.nn.functional import conv3d as conv3d
from wengert.nn.functional import conv_transpose1d as conv_transpose1d
from wengert.nn.functional import conv_transpose2d as conv_transpose2d
from wengert.nn.functional import conv_transpose3d as conv_transpose3d
from wengert.nn.functional import cosine_similarity as cosine_similarity
from wengert.nn.functional import dropout as dropout
from wengert.nn.functional import group_norm as group_norm
from wengert.nn.functional import layer_norm as layer_norm
from wengert.nn.functional import max_pool1d as max_pool1d
from wengert.nn.functional import max_pool2d as max_pool2d
from wengert.nn.functional import max_pool3d as max_pool3d
from wengert.nn.functional import pairwise_distance as pairwise_distance
from wengert.nn.functional import pixel_shuffle as pixel_shuffle
from wengert.nn.functional import pixel_unshuffle as pixel_unshuffle
from wengert.nn.functional import rms_norm as rms_norm
from wengert.nn.functional import rrelu as rrelu

newaxis = None

_memory.show_large_block()

# Loaded when somebody asks for it: name -> module. Each is also imported here for editors and type checkers, and stands
# in `__all__`. The first are wengert's own, not PyTorch's; the others PyTorch has too.
_LATER: dict[str, str] = {
    "array_api": "wengert.array_api",
    "diagnose": "wengert.see.diagnose",
    "draw": "wengert.see.drawing",
    "explain": "wengert.see.explain",
    "explain_nan": "wengert.see.explain_nan",
    "explain_zero": "wengert.see.explain_zero",
    "explore": "wengert.see.explore",
    "graph_report": "wengert.see.graph_report",
    "implicit": "wengert.implicit",
    "show_graphs": "wengert.see.showing",
    "why_none": "wengert.see.why_none",
}
_LAZY: dict[str, str] = {
    "GradScaler": "wengert.amp",
    "OutOfMemoryError": "wengert.cuda",
    "accelerator": "wengert.accelerator",
    "amp": "wengert.amp",
    "autocast": "wengert.amp",
    "bartlett_window": "wengert.signal.periodic",
    "blackman_window": "wengert.signal.periodic",
    "compiler": "wengert.compiler",
    "cpu": "wengert.cpu",
    "distributed": "wengert.distributed",
    "distributions": "wengert.distributions",
    "hamming_window": "wengert.signal.periodic",
    "hann_window": "wengert.signal.periodic",
    "get_autocast_dtype": "wengert.amp.autocast_mode",
    "is_autocast_enabled": "wengert.amp.autocast_mode",
    "jit": "wengert.jit",
    "kaiser_window": "wengert.signal.periodic",
    "library": "wengert.library",
    "load": "wengert.serialization",
    "masked": "wengert.masked",
    "mps": "wengert.mps",
    "optim": "wengert.optim",
    "profiler": "wengert.profiler",
    "save": "wengert.serialization",
    "serialization": "wengert.serialization",
    "signal": "wengert.signal",
    "types": "wengert.types",
    "utils": "wengert.utils",
    "xpu": "wengert.xpu",
}

if _typing.TYPE_CHECKING:
    from wengert import accelerator as accelerator
    from wengert import amp as amp
    from wengert import array_api as array_api
    from wengert import compiler as compiler
    from wengert import cpu as cpu
    from wengert import distributed as distributed
    from wengert import distributions as distributions
    from wengert import implicit as implicit
    from wengert import jit as jit
    from wengert import library as library
    from wengert import masked as masked
    from wengert import mps as mps
    from wengert import optim as optim
    from wengert import profiler as profiler
    from wengert import serialization as serialization
    from wengert import signal as signal
    from wengert import types as types
    from wengert import utils as utils
    from wengert import xpu as xpu
    from wengert.amp import GradScaler as GradScaler
    from wengert.amp import autocast as autocast
    from wengert.amp.autocast_mode import get_autocast_dtype as get_autocast_dtype
    from wengert.amp.autocast_mode import is_autocast_enabled as is_autocast_enabled
    from wengert.cuda import OutOfMemoryError as OutOfMemoryError
    from wengert.see.diagnose import diagnose as diagnose
    from wengert.see.drawing import draw as draw
    from wengert.see.explain import explain as explain
    from wengert.see.explain_nan import explain_nan as explain_nan
    from wengert.see.explain_zero import explain_zero as explain_zero
    from wengert.see.explore import explore as explore
    from wengert.see.graph_report import graph_report as graph_report
    from wengert.see.showing import show_graphs as show_graphs
    from wengert.see.why_none import why_none as why_none
    from wengert.serialization import load as load
    from wengert.serialization import save as save
    from wengert.signal.periodic import bartlett_window as bartlett_window
    from wengert.signal.periodic import blackman_window as blackman_window
    from wengert.signal.periodic import hamming_window as hamming_window
    from wengert.signal.periodic import hann_window as hann_window
    from wengert.signal.periodic import kaiser_window as kaiser_window
else:
    __getattr__ = _on_first_use(__name__, _LATER, _LAZY)

__all__ = [
    "BoolTensor",
    "ByteTensor",
    "CharTensor",
    "DoubleTensor",
    "FloatTensor",
    "Generator",
    "GradScaler",
    "HalfTensor",
    "IntTensor",
    "LongTensor",
    "OutOfMemoryError",
    "ShortTensor",
    "Size",
    "Tensor",
    "__version__",
    "abs",
    "abs_",
    "absolute",
    "accelerator",
    "acos",
    "acos_",
    "acosh",
    "acosh_",
    "adaptive_avg_pool1d",
    "add",
    "addbmm",
    "addcdiv",
    "addcmul",
    "addmm",
    "addmv",
    "addmv_",
    "addr",
    "adjoint",
    "alias_copy",
    "all",
    "allclose",
    "alpha_dropout",
    "amax",
    "amin",
    "aminmax",
    "amp",
    "angle",
    "any",
    "arange",
    "arccos",
    "arccos_",
    "arccosh",
    "arccosh_",
    "arcsin",
    "arcsin_",
    "arcsinh",
    "arcsinh_",
    "arctan",
    "arctan2",
    "arctan_",
    "arctanh",
    "arctanh_",
    "are_deterministic_algorithms_enabled",
    "argmax",
    "argmin",
    "argsort",
    "argwhere",
    "array_api",
    "as_strided",
    "as_strided_copy",
    "as_strided_scatter",
    "as_tensor",
    "asarray",
    "asin",
    "asin_",
    "asinh",
    "asinh_",
    "atan",
    "atan2",
    "atan_",
    "atanh",
    "atanh_",
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "autocast",
    "autograd",
    "avg_pool1d",
    "backends",
    "baddbmm",
    "bartlett_window",
    "bernoulli",
    "bfloat16",
    "bilinear",
    "binary_cross_entropy_with_logits",
    "bincount",
    "binomial",
    "bitwise_and",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "blackman_window",
    "block_diag",
    "bmm",
    "bool",
    "broadcast_shapes",
    "broadcast_tensors",
    "broadcast_to",
    "bucketize",
    "can_cast",
    "cartesian_prod",
    "cat",
    "cdist",
    "cdouble",
    "ceil",
    "ceil_",
    "celu",
    "celu_",
    "cfloat",
    "chain_matmul",
    "channel_shuffle",
    "channels_last",
    "channels_last_3d",
    "cholesky",
    "cholesky_inverse",
    "cholesky_solve",
    "chunk",
    "clamp",
    "clamp_",
    "clamp_max",
    "clamp_max_",
    "clamp_min",
    "clamp_min_",
    "clip",
    "clip_",
    "clone",
    "column_stack",
    "combinations",
    "compile",
    "compiler",
    "complex",
    "complex64",
    "complex128",
    "concat",
    "concatenate",
    "cond",
    "conj",
    "conj_physical",
    "conj_physical_",
    "constant_pad_nd",
    "contiguous_format",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "copysign",
    "corrcoef",
    "cos",
    "cos_",
    "cosh",
    "cosh_",
    "cosine_embedding_loss",
    "cosine_similarity",
    "count_nonzero",
    "cov",
    "cpu",
    "cross",
    "ctc_loss",
    "cuda",
    "cummax",
    "cummin",
    "cumprod",
    "cumsum",
    "cumulative_trapezoid",
    "default_generator",
    "deg2rad",
    "deg2rad_",
    "det",
    "detach",
    "detach_",
    "device",
    "diag",
    "diag_embed",
    "diagflat",
    "diagnose",
    "diagonal",
    "diagonal_copy",
    "diagonal_scatter",
    "diff",
    "digamma",
    "dist",
    "distributed",
    "distributions",
    "div",
    "divide",
    "dot",
    "double",
    "draw",
    "dropout",
    "dsplit",
    "dstack",
    "dtype",
    "e",
    "einsum",
    "embedding",
    "empty",
    "empty_like",
    "empty_permuted",
    "empty_strided",
    "enable_grad",
    "eq",
    "equal",
    "erf",
    "erf_",
    "erfc",
    "erfc_",
    "erfinv",
    "exp",
    "exp2",
    "exp2_",
    "exp_",
    "expand_copy",
    "explain",
    "explain_nan",
    "explain_zero",
    "explore",
    "expm1",
    "expm1_",
    "eye",
    "feature_alpha_dropout",
    "fft",
    "fill",
    "fill_",
    "finfo",
    "fix",
    "fix_",
    "flatten",
    "flip",
    "fliplr",
    "flipud",
    "float",
    "float16",
    "float32",
    "float64",
    "float_power",
    "floor",
    "floor_",
    "floor_divide",
    "fmax",
    "fmin",
    "fmod",
    "frac",
    "frac_",
    "frexp",
    "from_dlpack",
    "from_numpy",
    "frombuffer",
    "full",
    "full_like",
    "func",
    "gather",
    "gcd",
    "gcd_",
    "ge",
    "geqrf",
    "ger",
    "get_autocast_dtype",
    "get_default_device",
    "get_default_dtype",
    "get_deterministic_debug_mode",
    "get_float32_matmul_precision",
    "get_num_interop_threads",
    "get_num_threads",
    "get_rng_state",
    "gradient",
    "graph_report",
    "greater",
    "greater_equal",
    "grid_sampler",
    "grid_sampler_2d",
    "grid_sampler_3d",
    "group_norm",
    "gt",
    "half",
    "hamming_window",
    "hann_window",
    "hardshrink",
    "heaviside",
    "hinge_embedding_loss",
    "histc",
    "histogram",
    "histogramdd",
    "hsplit",
    "hstack",
    "hypot",
    "i0",
    "i0_",
    "igamma",
    "igammac",
    "iinfo",
    "imag",
    "implicit",
    "index_add",
    "index_copy",
    "index_fill",
    "index_put",
    "index_put_",
    "index_reduce",
    "index_select",
    "inf",
    "inference_mode",
    "initial_seed",
    "inner",
    "int",
    "int8",
    "int16",
    "int32",
    "int64",
    "inverse",
    "is_anomaly_check_nan_enabled",
    "is_anomaly_enabled",
    "is_autocast_enabled",
    "is_complex",
    "is_conj",
    "is_deterministic_algorithms_warn_only_enabled",
    "is_floating_point",
    "is_grad_enabled",
    "is_inference",
    "is_inference_mode_enabled",
    "is_neg",
    "is_nonzero",
    "is_same_size",
    "is_signed",
    "is_tensor",
    "isclose",
    "isfinite",
    "isin",
    "isinf",
    "isnan",
    "isneginf",
    "isposinf",
    "isreal",
    "istft",
    "jit",
    "kaiser_window",
    "kl_div",
    "kron",
    "kthvalue",
    "layer_norm",
    "layout",
    "lcm",
    "lcm_",
    "ldexp",
    "ldexp_",
    "le",
    "lerp",
    "less",
    "less_equal",
    "lgamma",
    "library",
    "linalg",
    "linspace",
    "load",
    "log",
    "log1p",
    "log1p_",
    "log2",
    "log2_",
    "log10",
    "log10_",
    "log_",
    "log_softmax",
    "logaddexp",
    "logaddexp2",
    "logcumsumexp",
    "logdet",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "logit",
    "logit_",
    "logspace",
    "logsumexp",
    "long",
    "lt",
    "lu",
    "lu_solve",
    "lu_unpack",
    "manual_seed",
    "margin_ranking_loss",
    "masked",
    "masked_fill",
    "masked_scatter",
    "masked_select",
    "matmul",
    "matrix_exp",
    "matrix_power",
    "max",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "maximum",
    "mean",
    "median",
    "memory_format",
    "meshgrid",
    "min",
    "minimum",
    "mm",
    "mode",
    "moveaxis",
    "movedim",
    "mps",
    "msort",
    "mul",
    "multinomial",
    "multiply",
    "mv",
    "mvlgamma",
    "nan",
    "nan_to_num",
    "nan_to_num_",
    "nanmean",
    "nanmedian",
    "nanquantile",
    "nansum",
    "narrow",
    "narrow_copy",
    "native_batch_norm",
    "native_group_norm",
    "native_layer_norm",
    "ne",
    "neg",
    "neg_",
    "negative",
    "negative_",
    "newaxis",
    "nextafter",
    "nn",
    "no_grad",
    "nonzero",
    "nonzero_static",
    "norm",
    "normal",
    "not_equal",
    "numel",
    "ones",
    "ones_like",
    "optim",
    "ormqr",
    "outer",
    "pairwise_distance",
    "pca_lowrank",
    "pdist",
    "permute",
    "permute_copy",
    "pi",
    "pinverse",
    "pixel_shuffle",
    "pixel_unshuffle",
    "poisson",
    "poisson_nll_loss",
    "polar",
    "polygamma",
    "positive",
    "pow",
    "prelu",
    "preserve_format",
    "prod",
    "profiler",
    "promote_types",
    "put",
    "qr",
    "quantile",
    "rad2deg",
    "rad2deg_",
    "rand",
    "rand_like",
    "randint",
    "randint_like",
    "randn",
    "randn_like",
    "random",
    "randperm",
    "range",
    "ravel",
    "real",
    "reciprocal",
    "reciprocal_",
    "relu",
    "relu_",
    "remainder",
    "renorm",
    "repeat_interleave",
    "reshape",
    "resize_as_",
    "resolve_conj",
    "resolve_neg",
    "result_type",
    "return_types",
    "rms_norm",
    "roll",
    "rot90",
    "round",
    "round_",
    "row_stack",
    "rrelu",
    "rsqrt",
    "rsqrt_",
    "rsub",
    "save",
    "scalar_tensor",
    "scatter",
    "scatter_add",
    "scatter_reduce",
    "searchsorted",
    "seed",
    "select",
    "select_copy",
    "select_scatter",
    "selu",
    "selu_",
    "serialization",
    "set_default_device",
    "set_default_dtype",
    "set_default_tensor_type",
    "set_deterministic_debug_mode",
    "set_float32_matmul_precision",
    "set_flush_denormal",
    "set_grad_enabled",
    "set_num_interop_threads",
    "set_num_threads",
    "set_printoptions",
    "set_rng_state",
    "sgn",
    "short",
    "show_graphs",
    "sigmoid",
    "sigmoid_",
    "sign",
    "signal",
    "signbit",
    "sin",
    "sin_",
    "sinc",
    "sinc_",
    "sinh",
    "sinh_",
    "slice_scatter",
    "slogdet",
    "softmax",
    "sort",
    "sparse_coo",
    "special",
    "split",
    "split_with_sizes",
    "split_with_sizes_copy",
    "sqrt",
    "sqrt_",
    "square",
    "square_",
    "squeeze",
    "squeeze_copy",
    "stack",
    "std",
    "std_mean",
    "stft",
    "strided",
    "sub",
    "subtract",
    "sum",
    "svd",
    "svd_lowrank",
    "swapaxes",
    "swapdims",
    "t",
    "t_copy",
    "take",
    "take_along_dim",
    "tan",
    "tan_",
    "tanh",
    "tanh_",
    "tensor",
    "tensor_split",
    "tensordot",
    "testing",
    "threshold",
    "threshold_",
    "tile",
    "topk",
    "trace",
    "transpose",
    "transpose_copy",
    "trapezoid",
    "trapz",
    "triangular_solve",
    "tril",
    "tril_indices",
    "triplet_margin_loss",
    "triu",
    "triu_indices",
    "true_divide",
    "trunc",
    "trunc_",
    "typename",
    "types",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "unbind",
    "unbind_copy",
    "unflatten",
    "unfold_copy",
    "unique",
    "unique_consecutive",
    "unravel_index",
    "unsafe_chunk",
    "unsafe_split",
    "unsafe_split_with_sizes",
    "unsqueeze",
    "unsqueeze_copy",
    "use_deterministic_algorithms",
    "utils",
    "vander",
    "var",
    "var_mean",
    "vdot",
    "version",
    "view_as_complex",
    "view_as_real",
    "view_copy",
    "vmap",
    "vsplit",
    "vstack",
    "where",
    "while_loop",
    "why_none",
    "xlogy",
    "xlogy_",
    "xpu",
    "zero_",
    "zeros",
    "zeros_like",
]
