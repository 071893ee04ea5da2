"""Modules compute what PyTorch's compute from the same weights: values, gradients, text, names of the state."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import wengert
from torch_pairs import close, torch

# PyTorch says that a way of its own to run faster cannot be taken.
pytestmark = pytest.mark.filterwarnings("ignore:enable_nested_tensor")

RNG = np.random.default_rng(11)


def floats(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape)


def positive(*shape: int) -> np.ndarray:
    return RNG.uniform(0.1, 0.9, shape)


def signs(*shape: int) -> np.ndarray:
    return np.where(RNG.uniform(size=shape) > 0.5, 1.0, -1.0)


def classes(n: int, *shape: int) -> np.ndarray:
    return RNG.integers(0, n, shape)


X, Y = floats(5, 4), floats(5, 4)
MASK = np.triu(np.ones((6, 6), bool), 1)

# name: (arguments, settings, inputs); arrays become tensors
Case = tuple[str, tuple[Any, ...], dict[str, Any], list[Any]]
ACTIVATIONS: list[Case] = [
    ("ReLU", (), {}, [X]),
    ("ReLU", (True,), {}, [X]),
    ("Hardtanh", (-0.5, 0.7), {}, [X]),
    ("ReLU6", (), {}, [X * 5]),
    ("LeakyReLU", (0.2,), {}, [X]),
    ("PReLU", (4,), {}, [X]),
    ("RReLU", (), {"lower": 0.1, "upper": 0.1}, [X]),
    ("Threshold", (0.1, -3.0), {}, [X]),
    ("Hardsigmoid", (), {}, [X * 3]),
    ("Hardswish", (), {}, [X * 3]),
    ("Hardshrink", (), {}, [X]),
    ("Softshrink", (0.3,), {}, [X]),
    ("Sigmoid", (), {}, [X]),
    ("Tanh", (), {}, [X]),
    ("Tanhshrink", (), {}, [X]),
    ("Softsign", (), {}, [X]),
    ("LogSigmoid", (), {}, [X]),
    ("Softplus", (2.0, 1.0), {}, [X]),
    ("ELU", (0.5,), {}, [X]),
    ("CELU", (0.5,), {}, [X]),
    ("SELU", (), {}, [X]),
    ("GELU", (), {}, [X]),
    ("GELU", ("tanh",), {}, [X]),
    ("SiLU", (), {}, [X]),
    ("Mish", (), {}, [X]),
    ("GLU", (), {}, [X]),
    ("Softmax", (1,), {}, [X]),
    ("LogSoftmax", (0,), {}, [X]),
    ("Softmin", (1,), {}, [X]),
    ("Softmax2d", (), {}, [floats(2, 3, 2, 2)]),
]
LAYERS: list[Case] = [
    ("Identity", (), {}, [X]),
    ("Linear", (4, 3), {}, [X]),
    ("Linear", (4, 3), {"bias": False}, [floats(2, 5, 4)]),
    ("Bilinear", (4, 4, 3), {}, [X, Y]),
    ("Embedding", (7, 3), {"padding_idx": 2}, [classes(7, 4, 5)]),
    ("Embedding", (7, 3), {"max_norm": 1.0, "scale_grad_by_freq": True}, [classes(7, 4, 5)]),
    ("EmbeddingBag", (7, 3), {}, [classes(7, 4, 5)]),
    ("EmbeddingBag", (7, 3), {"mode": "sum", "padding_idx": 2}, [classes(7, 9), np.array([0, 4, 4, 7])]),
    ("EmbeddingBag", (7, 3), {"mode": "max", "scale_grad_by_freq": False}, [classes(7, 4, 5)]),
    ("EmbeddingBag", (7, 3), {"padding_idx": 1, "include_last_offset": True}, [classes(7, 9), np.array([0, 3, 9])]),
    ("LocalResponseNorm", (2,), {"alpha": 0.3}, [floats(2, 3, 4, 4)]),
    ("FractionalMaxPool2d", (2, 3), {"_random_samples": positive(1, 3, 2)}, [floats(3, 7, 6)]),
    ("FractionalMaxPool3d", (2, 2), {"_random_samples": positive(2, 3, 3)}, [floats(2, 3, 4, 5, 6)]),
    ("UpsamplingNearest2d", (), {"scale_factor": 2}, [floats(1, 2, 3, 4)]),
    ("UpsamplingBilinear2d", ((5, 7),), {}, [floats(1, 2, 3, 4)]),
    ("Flatten", (), {}, [floats(2, 3, 4)]),
    ("Unflatten", (1, (2, 2)), {}, [X]),
    ("Dropout", (0.0,), {}, [X]),
    ("AlphaDropout", (0.0,), {}, [X]),
    ("FeatureAlphaDropout", (0.0,), {}, [floats(2, 3, 4)]),
    *[(f"Dropout{n}d", (0.0,), {}, [floats(2, 3, *[2] * n)]) for n in (1, 2, 3)],
    ("PairwiseDistance", (), {"keepdim": True}, [X, Y]),
    ("CosineSimilarity", (), {"dim": 0}, [X, Y]),
    ("LayerNorm", (4,), {}, [X]),
    ("LayerNorm", ((5, 4),), {"bias": False, "eps": 1e-2}, [floats(3, 5, 4)]),
    ("RMSNorm", (4,), {}, [X]),
    ("GroupNorm", (2, 4), {}, [floats(3, 4, 5)]),
    ("GroupNorm", (1, 4), {"affine": False}, [floats(3, 4)]),
    ("BatchNorm1d", (4,), {}, [X]),
    ("BatchNorm1d", (3,), {"momentum": None}, [floats(4, 3, 5)]),
    ("BatchNorm1d", (4,), {"track_running_stats": False, "affine": False}, [X]),
    ("BatchNorm2d", (3,), {"bias": False}, [floats(2, 3, 4, 4)]),
    ("BatchNorm3d", (2,), {}, [floats(2, 2, 2, 3, 3)]),
    ("InstanceNorm1d", (3,), {}, [floats(2, 3, 5)]),
    ("InstanceNorm2d", (3,), {"affine": True, "track_running_stats": True}, [floats(2, 3, 4, 4)]),
    ("InstanceNorm3d", (2,), {}, [floats(2, 2, 3, 3)]),
    ("RNN", (4, 3, 2), {}, [floats(6, 2, 4)]),
    ("RNN", (4, 3), {"nonlinearity": "relu", "bidirectional": True, "bias": False}, [floats(6, 4)]),
    ("LSTM", (4, 3, 2), {"bidirectional": True, "batch_first": True}, [floats(2, 6, 4)]),
    ("LSTM", (4, 3), {"proj_size": 2}, [floats(6, 2, 4), (floats(1, 2, 2), floats(1, 2, 3))]),
    ("GRU", (4, 3, 2), {"bidirectional": True}, [floats(6, 2, 4), floats(4, 2, 3)]),
    ("RNNCell", (4, 3), {"nonlinearity": "relu"}, [X]),
    ("LSTMCell", (4, 3), {}, [X, (floats(5, 3), floats(5, 3))]),
    ("GRUCell", (4, 3), {"bias": False}, [floats(4), floats(3)]),
    ("MultiheadAttention", (4, 2), {}, [floats(6, 3, 4)] * 3),
    ("MultiheadAttention", (4, 2), {"kdim": 3, "vdim": 5}, [floats(6, 2, 4), floats(7, 2, 3), floats(7, 2, 5)]),
    (
        "MultiheadAttention",
        (4, 2),
        {"add_bias_kv": True, "add_zero_attn": True, "bias": False, "batch_first": True},
        [floats(2, 6, 4), floats(2, 7, 4), floats(2, 7, 4)],
    ),
    ("TransformerEncoderLayer", (4, 2, 8, 0.0), {}, [floats(6, 2, 4), MASK]),
    ("TransformerEncoderLayer", (4, 2, 8, 0.0, "gelu"), {"norm_first": True, "batch_first": True}, [floats(2, 6, 4)]),
    ("TransformerDecoderLayer", (4, 2, 8, 0.0), {"bias": False}, [floats(6, 2, 4), floats(5, 2, 4), MASK]),
    ("Transformer", (4, 2, 2, 1, 8, 0.0), {}, [floats(6, 2, 4), floats(5, 2, 4)]),
]
IMAGES: list[Case] = [
    ("Conv1d", (3, 4, 3), {"padding": "same", "padding_mode": "circular"}, [floats(2, 3, 8)]),
    ("Conv2d", (2, 4, 3), {"stride": 2, "padding": 1, "groups": 2}, [floats(2, 2, 6, 7)]),
    ("Conv2d", (2, 4, (3, 2)), {"padding": (1, 0), "dilation": 2, "padding_mode": "reflect"}, [floats(2, 2, 6, 7)]),
    ("Conv2d", (2, 4, 3), {"padding": "same", "bias": False}, [floats(2, 6, 7)]),
    ("Conv3d", (2, 3, 2), {}, [floats(1, 2, 3, 4, 3)]),
    ("ConvTranspose1d", (3, 4, 3, 2), {"output_padding": 1}, [floats(2, 3, 5)]),
    ("ConvTranspose2d", (2, 4, 3, 2, 1), {"groups": 2}, [floats(2, 2, 3, 4), (6, 8)]),
    ("ConvTranspose3d", (2, 3, 2), {"bias": False}, [floats(1, 2, 3, 2, 3)]),
    *[(f"MaxPool{n}d", (2,), {"padding": 1}, [floats(2, 3, *[6] * n)]) for n in (1, 2, 3)],
    *[(f"AvgPool{n}d", (2,), {"stride": 1}, [floats(2, 3, *[5] * n)]) for n in (1, 2, 3)],
    *[(f"LPPool{n}d", (2, 2), {}, [positive(2, 3, *[4] * n)]) for n in (1, 2, 3)],
    *[(f"AdaptiveMaxPool{n}d", (3,), {}, [floats(2, 3, *[7] * n)]) for n in (1, 2, 3)],
    *[(f"AdaptiveAvgPool{n}d", (3,), {}, [floats(2, 3, *[7] * n)]) for n in (1, 2, 3)],
    *[
        (f"MaxUnpool{n}d", (2,), {}, [floats(1, 1, *[2] * n), np.arange(2**n).reshape(1, 1, *[2] * n)])
        for n in (1, 2, 3)
    ],
    *[(f"ConstantPad{n}d", (2, 1.5), {}, [floats(2, 3, *[4] * n)]) for n in (1, 2, 3)],
    *[
        (f"{kind}Pad{n}d", (1,), {}, [floats(2, 3, *[4] * n)])
        for n in (1, 2, 3)
        for kind in ("Zero", "Reflection", "Replication", "Circular")
    ],
    ("Upsample", (), {"scale_factor": 2, "mode": "bilinear"}, [floats(1, 2, 3, 4)]),
    ("Upsample", (5,), {}, [floats(1, 2, 3)]),
    ("PixelShuffle", (2,), {}, [floats(1, 8, 2, 3)]),
    ("PixelUnshuffle", (2,), {}, [floats(1, 2, 4, 6)]),
    ("ChannelShuffle", (2,), {}, [floats(1, 4, 2, 2)]),
    ("Unfold", (2,), {"padding": 1}, [floats(1, 2, 4, 4)]),
    ("Fold", ((4, 5), 2), {}, [floats(1, 8, 12)]),
]
LOSSES: list[Case] = [
    ("L1Loss", (), {}, [X, Y]),
    ("MSELoss", (), {"reduction": "sum"}, [X, Y]),
    ("SmoothL1Loss", (), {"beta": 0.5}, [X, Y]),
    ("HuberLoss", (), {"delta": 0.5}, [X, Y]),
    ("PoissonNLLLoss", (), {"full": True}, [X, np.abs(Y).round()]),
    ("GaussianNLLLoss", (), {"full": True}, [X, Y, positive(5, 4)]),
    ("BCELoss", (positive(4),), {}, [positive(5, 4), positive(5, 4)]),
    ("BCEWithLogitsLoss", (), {"pos_weight": positive(4)}, [X, positive(5, 4)]),
    ("SoftMarginLoss", (), {}, [X, signs(5, 4)]),
    ("NLLLoss", (positive(4),), {}, [X, classes(4, 5)]),
    ("CrossEntropyLoss", (positive(4),), {"label_smoothing": 0.1}, [X, classes(4, 5)]),
    ("CrossEntropyLoss", (), {"ignore_index": 2}, [X, classes(4, 5)]),
    ("CTCLoss", (), {}, [floats(6, 2, 5), 1 + classes(4, 2, 3), np.array([6, 5]), np.array([2, 3])]),
    ("CTCLoss", (1, "sum", True), {}, [floats(4, 2, 5), 2 + classes(3, 5), np.array([4, 0]), np.array([3, 2])]),
    ("KLDivLoss", (), {"reduction": "batchmean"}, [X, positive(5, 4)]),
    ("MultiMarginLoss", (), {"p": 2, "margin": 0.5}, [X, classes(4, 5)]),
    ("MultiLabelMarginLoss", (), {}, [X, np.array([[1, -1, 0, 0]] * 5)]),
    ("MultiLabelSoftMarginLoss", (positive(4),), {}, [X, classes(2, 5, 4).astype(float)]),
    ("HingeEmbeddingLoss", (), {"margin": 0.7}, [X, signs(5, 4)]),
    ("CosineEmbeddingLoss", (), {"margin": 0.2}, [X, Y, signs(5)]),
    ("MarginRankingLoss", (), {"margin": 0.2}, [X, Y, signs(5, 4)]),
    ("TripletMarginLoss", (), {"margin": 0.7, "swap": True}, [X, Y, floats(5, 4)]),
    ("TripletMarginWithDistanceLoss", (), {"margin": 0.7}, [X, Y, floats(5, 4)]),
]


def _name(case: Case) -> str:
    return "-".join([case[0], *map(str, case[1][:4]), *case[2]])[:60]


def _given(lib: Any, value: Any, tracked: bool = False) -> Any:
    if isinstance(value, tuple) and value and isinstance(value[0], np.ndarray):
        return tuple([_given(lib, v, tracked) for v in value])
    if not isinstance(value, np.ndarray):
        return value
    t = lib.from_numpy(value.copy())
    return t.requires_grad_() if tracked and value.dtype.kind == "f" else t


def _flat(value: Any) -> list[Any]:
    if isinstance(value, (tuple, list)):
        return [t for v in value for t in _flat(v)]
    return [] if value is None else [value]


def _pair(case: Case) -> tuple[Any, Any]:
    """The module on both libraries, with the same weights."""
    name, args, settings, _ = case
    made = []
    for lib in (wengert, torch):
        keywords = {k: _given(lib, v) for k, v in settings.items()}
        made.append(getattr(lib.nn, name)(*[_given(lib, a) for a in args], **keywords).to(lib.float64))
    mine, theirs = made
    state = theirs.state_dict()
    assert list(mine.state_dict()) == list(state)
    mine.load_state_dict({k: wengert.from_numpy(v.numpy().copy()) for k, v in state.items()})
    return mine, theirs


def _run(lib: Any, module: Any, inputs: list[Any]) -> tuple[list[Any], list[Any]]:
    is_constant = type(module).__name__ == "SoftMarginLoss"  # its target has no derivative, in PyTorch neither
    given = [_given(lib, x, (i == 0 or not is_constant)) for i, x in enumerate(inputs)]
    outputs = list(_flat(module(*[g * 1 if getattr(module, "inplace", False) else g for g in given])))
    leaves = [t for t in _flat(given) if getattr(t, "requires_grad", False)] + list(module.parameters())
    total = sum([(t * lib.arange(t.numel(), dtype=lib.float64).reshape(t.shape).cos()).sum() for t in outputs])
    grads = lib.autograd.grad(total, leaves, allow_unused=True) if leaves else []
    return outputs, [g for g in grads if g is not None]


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("case", ACTIVATIONS + LAYERS + IMAGES + LOSSES, ids=_name)
def test_values_and_gradients(case: Case, training: bool) -> None:
    mine, theirs = _pair(case)
    assert repr(mine) == repr(theirs)
    mine.train(training)
    theirs.train(training)
    inputs = case[3]
    for _ in range(2):  # running statistics move
        got, got_grads = _run(wengert, mine, inputs)
        want, want_grads = _run(torch, theirs, inputs)
        assert len(got) == len(want)
        assert len(got_grads) == len(want_grads)
        for i, (a, b) in enumerate(zip(got + got_grads, want + want_grads, strict=True)):
            # PyTorch's derivative of hardsigmoid is 1/6 as a float32, also in float64
            scale = 1e2 if case[0] == "Hardsigmoid" else 10
            close(a.detach().numpy(), b.detach().numpy(), f"{case[0]}: {i}", scale)
    for (name, a), b in zip(mine.state_dict().items(), theirs.state_dict().values(), strict=True):
        close(np.asarray(a.numpy()), b.numpy(), name)


NAMES = sorted(
    {case[0] for case in ACTIVATIONS + LAYERS + IMAGES + LOSSES} | {"Sequential", "ModuleList", "ModuleDict"}
)


@pytest.mark.parametrize("name", NAMES)
def test_arguments_are_pytorchs(name: str) -> None:
    def arguments(lib: Any) -> list[Any]:
        found = inspect.signature(getattr(lib.nn, name).__init__).parameters.values()
        return [(p.name, p.kind, p.default) for p in found if not callable(p.default) or p.default is p.empty]

    if name in ("RNN", "Sequential"):  # written with *args
        return
    assert arguments(wengert) == arguments(torch)


def test_every_module_of_ours_is_compared() -> None:
    base = wengert.nn.Module
    ours = {n for n in wengert.nn.__all__ if isinstance(getattr(wengert.nn, n), type)}
    ours = {n for n in ours if issubclass(getattr(wengert.nn, n), base)}
    elsewhere = {n for n in ours if n.startswith("Lazy")} | {
        "AdaptiveLogSoftmaxWithLoss",
        "Container",
        "DataParallel",
        "FractionalMaxPool2d",
        "FractionalMaxPool3d",
        "Module",
        "ModuleDict",
        "ModuleList",
        "NLLLoss2d",
        "ParameterDict",
        "ParameterList",
        "RNNBase",
        "RNNCellBase",
        "Sequential",
        "SyncBatchNorm",
        "TransformerDecoder",
        "TransformerEncoder",
    }
    assert ours - set(NAMES) - elsewhere == set()


# --- what a table cannot say ---


def test_packed_sequences() -> None:
    lengths = [3, 6, 1, 4]
    x = [floats(n, 4) for n in lengths]

    def run(lib: Any, net: Any) -> list[Any]:
        packed = lib.nn.utils.rnn.pack_sequence([lib.from_numpy(s.copy()) for s in x], enforce_sorted=False)
        output, state = net(packed)
        padded, counts = lib.nn.utils.rnn.pad_packed_sequence(output, batch_first=True, total_length=7)
        assert counts.tolist() == lengths
        return [padded, *_flat(state)]

    for case in (
        ("LSTM", (4, 3, 2), {"bidirectional": True}, []),
        ("GRU", (4, 3), {}, []),
        ("RNN", (4, 3, 2), {}, []),
    ):
        mine, theirs = _pair(case)
        for a, b in zip(run(wengert, mine), run(torch, theirs), strict=True):
            close(a.detach().numpy(), b.detach().numpy(), case[0])


@pytest.mark.parametrize("need", [True, False])
def test_attention_masks(need: bool) -> None:
    mine, theirs = _pair(("MultiheadAttention", (4, 2), {}, []))
    q = floats(6, 3, 4)
    padding = np.zeros((3, 6), bool)
    padding[1, 4:] = True
    for masks in (
        {"attn_mask": MASK},
        {"key_padding_mask": padding},
        {"attn_mask": np.where(MASK, -1.5, 0.0), "average_attn_weights": False},
        {"attn_mask": np.broadcast_to(MASK, (6, 6, 6)).copy()},
    ):
        results = []
        for lib, module in ((wengert, mine), (torch, theirs)):
            t = lib.from_numpy(q.copy())
            results.append(module(t, t, t, need_weights=need, **{k: _given(lib, v) for k, v in masks.items()}))
        for a, b in zip(*map(_flat, results), strict=True):
            close(a.detach().numpy(), b.detach().numpy(), str(list(masks)))


def test_scaled_dot_product_attention() -> None:
    q, k, v = floats(2, 4, 5, 3), floats(2, 2, 6, 3), floats(2, 2, 6, 3)
    for settings in (
        {"enable_gqa": True},
        {"enable_gqa": True, "scale": 0.3},
        {"enable_gqa": True, "is_causal": True},
        {"enable_gqa": True, "attn_mask": positive(5, 6) > 0.4},
        {"enable_gqa": True, "attn_mask": floats(5, 6)},
    ):
        a, b = (
            lib.nn.functional.scaled_dot_product_attention(
                *[_given(lib, t) for t in (q, k, v)], **{n: _given(lib, s) for n, s in settings.items()}
            )
            for lib in (wengert, torch)
        )
        close(a.numpy(), b.numpy(), str(settings))


def test_sequences_of_different_lengths() -> None:
    x = [floats(3, 2), floats(1, 2), floats(2, 2)]
    for settings in ({}, {"batch_first": True, "padding_value": 7.0}, {"padding_side": "left"}):
        a, b = (lib.nn.utils.rnn.pad_sequence([_given(lib, s) for s in x], **settings) for lib in (wengert, torch))
        close(a.numpy(), b.numpy(), str(settings))
    a, b = (
        lib.nn.utils.rnn.pack_sequence([_given(lib, s) for s in x], enforce_sorted=False) for lib in (wengert, torch)
    )
    for mine, theirs in zip(a, b, strict=True):
        close(mine.numpy(), theirs.numpy(), "packed")
    with pytest.raises(RuntimeError, match="must be sorted in decreasing order"):
        wengert.nn.utils.rnn.pack_sequence([_given(wengert, s) for s in reversed(x[:2])])


def test_dropout_in_training() -> None:
    wengert.manual_seed(0)
    x = wengert.ones(20000)
    y = wengert.nn.Dropout(0.25)(x)
    assert abs(float((y == 0).float().mean()) - 0.25) < 0.02
    assert abs(float(y.mean()) - 1) < 0.02
    channels = wengert.nn.Dropout2d(0.25)(wengert.ones(100, 50, 2, 2)).reshape(5000, 4)
    assert set(channels.sum(1).tolist()) == {0.0, channels.max().item() * 4}
    assert abs(float((channels == 0).float().mean()) - 0.25) < 0.03
    z = wengert.nn.AlphaDropout(0.25)(wengert.randn(20000))
    assert abs(float(z.mean())) < 0.05
    assert abs(float(z.std()) - 1) < 0.05
    lstm = wengert.nn.LSTM(3, 4, 2, dropout=0.5)
    a, b = lstm(wengert.ones(5, 2, 3))[0], lstm(wengert.ones(5, 2, 3))[0]
    assert not wengert.equal(a, b)
    lstm.eval()
    assert wengert.equal(lstm(wengert.ones(5, 2, 3))[0], lstm(wengert.ones(5, 2, 3))[0])


def test_clipping_gradients() -> None:
    grads = [floats(3, 2), floats(4)]
    for settings in ({}, {"norm_type": 1.0}, {"norm_type": float("inf")}, {"max_norm": 1e6}):
        results = []
        for lib in (wengert, torch):
            ps = [lib.nn.Parameter(lib.zeros(*g.shape, dtype=lib.float64)) for g in grads]
            for p, g in zip(ps, grads, strict=True):
                p.grad = _given(lib, g)
            total = lib.nn.utils.clip_grad_norm_(ps, **{"max_norm": 0.5, **settings})
            lib.nn.utils.clip_grad_value_(ps, 0.2)
            results.append([total, *[p.grad for p in ps]])
        for a, b in zip(*results, strict=True):
            close(np.asarray(a.numpy()), b.numpy(), str(settings))
    p = wengert.nn.Parameter(wengert.ones(1))
    p.grad = wengert.tensor([float("nan")])
    with pytest.raises(RuntimeError, match="non-finite"):
        wengert.nn.utils.clip_grad_norm_(p, 1.0, error_if_nonfinite=True)


def test_parameters_as_a_vector() -> None:
    net = wengert.nn.Linear(3, 2)
    vector = wengert.nn.utils.parameters_to_vector(net.parameters())
    assert vector.shape == (8,)
    wengert.nn.utils.vector_to_parameters(wengert.arange(8.0), net.parameters())
    assert net.weight.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert net.bias.tolist() == [6, 7]


@pytest.mark.parametrize(
    ("name", "args", "bound"),
    [
        ("uniform_", (-2.0, 3.0), None),
        ("xavier_uniform_", (2.0,), 2 * np.sqrt(6 / 500)),
        ("kaiming_uniform_", (0.3, "fan_out", "leaky_relu"), np.sqrt(6 / (1 + 0.09) / 300)),
    ],
)
def test_uniform_initialisation(name: str, args: tuple[Any, ...], bound: float | None) -> None:
    for lib in (wengert, torch):
        t = getattr(lib.nn.init, name)(lib.empty(300, 200), *args)
        low, high = (-2.0, 3.0) if bound is None else (-bound, bound)
        assert low <= float(t.min()) < low + 0.02 * (high - low)
        assert high >= float(t.max()) > high - 0.02 * (high - low)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("normal_", (1.0, 2.0)),
        ("xavier_normal_", (1.5,)),
        ("kaiming_normal_", (0.0, "fan_in", "relu")),
        ("trunc_normal_", (0.5, 1.0, -1.0, 1.5)),
        ("sparse_", (0.25,)),
    ],
)
def test_normal_initialisation(name: str, args: tuple[Any, ...]) -> None:
    a, b = (getattr(lib.nn.init, name)(lib.empty(300, 200), *args) for lib in (wengert, torch))
    assert abs(float(a.mean()) - float(b.mean())) < 0.05 * float(b.std())
    assert abs(float(a.std()) / float(b.std()) - 1) < 0.03
    assert (float((a == 0).float().mean()) > 0.2) == (name == "sparse_")


def test_exact_initialisation() -> None:
    for name, shape, args in (
        ("constant_", (2, 3), (0.3,)),
        ("eye_", (2, 3), ()),
        ("dirac_", (4, 2, 3, 3), (2,)),
        ("ones_", (2,), ()),
        ("zeros_", (2,), ()),
    ):
        a, b = (getattr(lib.nn.init, name)(lib.empty(*shape), *args) for lib in (wengert, torch))
        close(a.numpy(), b.numpy(), name)
    for shape in ((3, 5), (5, 3), (4, 2, 3)):
        q = wengert.nn.init.orthogonal_(wengert.empty(*shape, dtype=wengert.float64), gain=2.0).reshape(shape[0], -1)
        product = (q @ q.T if shape[0] <= q.shape[1] else q.T @ q).numpy()
        np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-12)
    gains = ("linear", "tanh", "relu", "selu", "leaky_relu", "sigmoid")
    assert [wengert.nn.init.calculate_gain(g) for g in gains] == [torch.nn.init.calculate_gain(g) for g in gains]
    with pytest.raises(ValueError, match="fewer than 2 dimensions"):
        wengert.nn.init.xavier_uniform_(wengert.empty(3))


def test_modules_begin_as_pytorchs_do() -> None:
    """Same bounds and deviations of what is drawn (the numbers are not the same)."""
    wengert.manual_seed(1)
    for name, args, _, _ in LAYERS + IMAGES:
        mine, theirs = (getattr(lib.nn, name)(*args) for lib in (wengert, torch))
        for (key, a), b in zip(mine.named_parameters(), theirs.parameters(), strict=True):
            a, b = a.detach(), b.detach()
            if float(b.std(correction=0)) == 0 or a.numel() < 20:
                assert (float(a.std(correction=0)) == 0) == (float(b.std(correction=0)) == 0), (name, key)
            else:
                assert 0.5 < float(a.std()) / float(b.std()) < 2, (name, key)
