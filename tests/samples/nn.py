"""Sample inputs for activations with metadata, normalisations, lookups and losses."""

from __future__ import annotations

import numpy as np

from samples import Sample

_R = np.random.default_rng(21)


def _r(*shape: int) -> np.ndarray:
    return _R.standard_normal(shape)


def _p(*shape: int) -> np.ndarray:
    return _R.uniform(0.05, 0.95, shape)


def _i(high: int, *shape: int) -> np.ndarray:
    return _R.integers(0, high, shape)


_X = np.array([-3.5, -2.2, -0.7, -0.1, 0.1, 0.7, 2.2, 3.5])
_REDUCTIONS = ("none", "mean", "sum")
_LABELS = np.array([[1.0, 0.0, 1.0, 0.0], [0.0, 2.0, 0.0, 0.0]])
_ONE_HOT = np.eye(4)[[1, 3]]


def _each(*inputs: np.ndarray, **meta: object) -> list[Sample]:
    return [Sample(*inputs, reduction=reduction, **meta) for reduction in _REDUCTIONS]


# Sequences of two different labels, and of one label, with blanks between.
_STARTS = np.array([[True, True, False, False, False]] * 2)
_LEAPS = np.array([[False, False, False, True, False], [False] * 5])
_ENDS = np.array([[False, False, False, True, True], [False, True, True, False, False]])


def _lstm_coefficients() -> tuple[np.ndarray, ...]:
    return _r(3, 2, 8), _r(3, 2, 2), _r(3, 2, 2), _r(8, 2)


def _gated_coefficients() -> tuple[np.ndarray, ...]:
    return _r(3, 2, 6), _r(3, 2, 2), _r(6, 2)


SAMPLES: dict[str, list[Sample]] = {
    "tied": [Sample(_r(3, 2), _r(3, 2))],
    "zero_where": [Sample(_r(3, 2), _r(3, 2) > 0), Sample(_r(5000), _r(5000) > 0)],
    "threshold": [Sample(_X, threshold=0.5, value=-3.0)],
    "leaky_relu": [Sample(_X, negative_slope=slope) for slope in (0.01, 0.0, -1.0, 2.0)],
    "hardtanh": [Sample(_X, min_val=-1.0, max_val=1.0), Sample(_X, min_val=0.0, max_val=6.0)],
    "softshrink": [Sample(_X, lambd=0.5)],
    "hardshrink": [Sample(_X, lambd=0.5)],
    "prelu": [Sample(_X, np.array([0.25])), Sample(_r(3, 2), _r(2))],
    "rrelu": [Sample(_X, np.where(_X > 0, 1.0, 0.2))],
    "elu": [Sample(_X, alpha=1.0, scale=1.0, input_scale=1.0), Sample(_X, alpha=1.6, scale=1.05, input_scale=1.0)],
    "celu": [Sample(_X, alpha=2.0, scale=1.0, input_scale=0.5)],
    "softplus": [Sample(_X, beta=1.0, threshold=20.0), Sample(_X, beta=2.0, threshold=3.0)],
    "glu": [Sample(_r(3, 4), dim=1), Sample(_r(2, 3), dim=0)],
    "softmax": [
        Sample(_r(3, 4), dim=1),
        Sample(_r(3, 4), dim=0),
        Sample(_r(2, 3, 2), dim=1),
        Sample(np.asarray(2.0), dim=0),
    ],
    "log_softmax": [
        Sample(_r(3, 4), dim=1),
        Sample(_r(3, 4), dim=0),
        Sample(np.asarray(2.0), dim=0),
        Sample(_r(0, 3), dim=1),
    ],
    "layer_norm": [Sample(_r(3, 4), dims=(1,), eps=1e-5), Sample(_r(2, 3, 2), dims=(1, 2), eps=1e-5)],
    "group_norm": [Sample(_r(2, 2, 2, 3), dims=(2, 3), eps=1e-5)],
    "group_norm_weight": [Sample(_r(2, 2, 2, 3), _r(2, 2, 1), dims=(2, 3), eps=1e-5)],
    "group_norm_affine": [Sample(_r(2, 2, 2, 3), _r(2, 2, 1), _r(2, 2, 1), dims=(2, 3), eps=1e-5)],
    "layer_norm_weight": [Sample(_r(3, 4), _r(4), dims=(1,), eps=1e-5)],
    "layer_norm_affine": [Sample(_r(3, 4), _r(4), _r(4), dims=(1,), eps=1e-5)],
    "batch_norm": [Sample(_r(4, 3), dims=(0,), eps=1e-5)],
    "batch_norm_weight": [Sample(_r(4, 3), _r(3), dims=(0,), eps=1e-5)],
    "batch_norm_affine": [Sample(_r(3, 2, 2), _r(2, 1), _r(2, 1), dims=(0, 2), eps=1e-5)],
    "batch_norm_fixed": [Sample(_r(4, 3), _r(3), _p(3), _r(3), _r(3))],
    "rms_norm": [Sample(_r(3, 4), dims=(1,), eps=1e-5), Sample(_r(2, 3, 2), dims=(1, 2), eps=1e-5)],
    "lstm_gates": [Sample(_r(2, 8)), Sample(_r(4))],
    "lstm_slopes": [Sample(_r(2, 8)), Sample(_r(4))],
    "lstm_memory": [Sample(_r(2, 8), _r(2, 2)), Sample(_r(4), _r(1))],
    "lstm_shown": [Sample(_r(2, 8), _r(2, 2)), Sample(_r(4), _r(1))],
    "lstm": [Sample(_r(3, 2, 8), _r(8, 2), _r(2, 2), _r(2, 2)), Sample(_r(1, 2, 4), _r(4, 1), _r(2, 1), _r(2, 1))],
    "lstm_tangent": [
        Sample(_r(2, 1, 4), _r(2, 1, 1), _r(2, 1, 1), _r(4, 1), _r(2, 1, 4), given=(True, False, False)),
        Sample(*_lstm_coefficients(), _r(3, 2, 8), given=(True, False, False)),
        Sample(*_lstm_coefficients(), _r(3, 2, 8), _r(3, 2, 2), _r(3, 2, 2), given=(True, True, True)),
    ],
    "lstm_adjoint": [
        Sample(_r(2, 1, 4), _r(2, 1, 1), _r(2, 1, 1), _r(4, 1), _r(2, 1, 1), given=(False, False, True)),
        Sample(*_lstm_coefficients(), _r(3, 2, 2), given=(False, False, True)),
        Sample(*_lstm_coefficients(), _r(3, 2, 8), _r(3, 2, 2), _r(3, 2, 2), given=(True, True, True)),
    ],
    "gru": [Sample(_r(3, 2, 6), _r(6, 2), _r(6), _r(2, 2)), Sample(_r(1, 2, 3), _r(3, 1), _r(3), _r(2, 1))],
    "gated_tangent": [
        Sample(_r(2, 1, 3), _r(2, 1, 1), _r(3, 1), _r(2, 1, 3), given=(True, False)),
        Sample(*_gated_coefficients(), _r(3, 2, 6), given=(True, False)),
        Sample(*_gated_coefficients(), _r(3, 2, 6), _r(3, 2, 2), given=(True, True)),
    ],
    "gated_adjoint": [
        Sample(_r(2, 1, 3), _r(2, 1, 1), _r(3, 1), _r(2, 1, 1), given=(False, True)),
        Sample(*_gated_coefficients(), _r(3, 2, 2), given=(False, True)),
        Sample(*_gated_coefficients(), _r(3, 2, 6), _r(3, 2, 2), given=(True, True)),
    ],
    "embedding": [
        Sample(_r(4, 3), _i(4, 2, 3), padding_idx=-1, scale_grad_by_freq=False),
        Sample(_r(4, 3), _i(4, 5), padding_idx=-1, scale_grad_by_freq=False),
    ],
    "embedding_spread": [
        Sample(_r(2, 3, 2), _i(4, 2, 3), count=4, padding_idx=1, scale_grad_by_freq=True),
        Sample(_r(5, 20), _i(40, 5), count=40, padding_idx=-1, scale_grad_by_freq=False),
    ],
    "ctc_paths": [
        Sample(_r(4, 2, 5), _STARTS, _LEAPS, _ENDS, np.array([4, 3])),
        Sample(_r(4, 2, 5), _STARTS, _LEAPS, _ENDS, np.array([2, 4])),
    ],
    "weighted": [Sample(_r(2, 3, 4), _r(4, 2)), Sample(_r(4), _r(4, 3))],
    "embedding_gather": [Sample(_r(4, 3), _i(4, 2, 3), padding_idx=2, scale_grad_by_freq=True)],
    "mse_loss": [*_each(_r(3, 2), _r(3, 2)), *_each(_r(3, 2), _r(2))],
    "huber_loss": [*_each(_r(3, 2), _r(3, 2), delta=0.7)],
    "smooth_l1_loss": [*_each(_r(3, 2), _r(3, 2), beta=0.7), *_each(_r(3, 2), _r(2), beta=1.0)],
    "soft_margin_loss": [*_each(_r(3, 2), np.sign(_r(3, 2)))],
    "binary_cross_entropy": [*_each(_p(3, 2), _p(3, 2)), *_each(_p(3, 2), _p(3, 2), _p(2))],
    "binary_cross_entropy_with_logits": [
        *_each(_r(3, 2), _p(3, 2), weighted=False, pos_weighted=False),
        *_each(_r(3, 2), _p(3, 2), _p(2), weighted=True, pos_weighted=False),
        *_each(_r(3, 2), _p(3, 2), _p(2) * 4, weighted=False, pos_weighted=True),
        *_each(_r(3, 2), _p(3, 2), _p(3, 2), _p(2) * 4, weighted=True, pos_weighted=True),
    ],
    "multi_margin_loss": [
        *_each(_r(2, 4), _ONE_HOT, np.array([[1.0], [2.0]]), p=1, margin=1.0),
        *_each(_r(2, 4), _ONE_HOT, np.array([[1.0], [0.5]]), p=2, margin=0.5),
        *_each(_r(4), _ONE_HOT[0], np.array([1.0]), p=1, margin=1.0),
    ],
    "multilabel_margin_loss": [
        *_each(_r(2, 4), _LABELS, (_LABELS == 0).astype(float)),
        *_each(_r(4), _LABELS[0], (_LABELS[0] == 0).astype(float)),
    ],
    "nll_loss": [*_each(_r(3, 4), _i(4, 3)), *_each(_r(4), np.asarray(2))],
    "nll_loss2d": [*_each(_r(2, 3, 2, 2), _i(3, 2, 2, 2))],
    "nll_loss_weighted": [
        *_each(_r(3, 4), _i(4, 3), np.array([1.0, 0.5, 0.0])),
        *_each(_r(4), np.asarray(2), np.asarray(1.0)),
    ],
    "nll_loss2d_weighted": [*_each(_r(2, 3, 2, 2), _i(3, 2, 2, 2), _p(2, 2, 2))],
    "share": [Sample(_r(3), count=4.0)],
    "class_spread": [Sample(_r(3), _i(4, 3), shape=(3, 4)), Sample(_r(2, 3), _i(4, 2, 3), shape=(2, 4, 3))],
    "class_pick": [Sample(_r(3, 4), _i(4, 3)), Sample(_r(2, 4, 3), _i(4, 2, 3))],
}
