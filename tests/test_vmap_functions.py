"""Public functions inside vmap against PyTorch's vmap: the same call on both libraries."""

import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import wengert
from wengert._tree import flatten

rng = np.random.default_rng(0)
BATCH = rng.standard_normal((4, 3, 5))


def _written(lib, x):
    z = lib.zeros_like(x)
    z[0] = x[1]
    z[:, 1:] += x[:, 1:]
    return z


def _written_new(lib, x):
    z = x.new_zeros(3, 5)
    z[0] = x[1]
    return z


NAMES = [
    "abs",
    "acos",
    "angle",
    "argmax",
    "argmin",
    "argsort",
    "atleast_1d",
    "atleast_2d",
    "ceil",
    "cumsum",
    "cumprod",
    "diff",
    "exp",
    "flatten",
    "fliplr",
    "flip",
    "frac",
    "isnan",
    "log_softmax",
    "softmax",
    "logsumexp",
    "max",
    "mean",
    "median",
    "min",
    "mode",
    "msort",
    "nanmean",
    "nansum",
    "neg",
    "norm",
    "numel",
    "ones_like",
    "zeros_like",
    "rand_like",
    "prod",
    "ravel",
    "relu",
    "round",
    "sigmoid",
    "sign",
    "sin",
    "sort",
    "sqrt",
    "square",
    "squeeze",
    "std",
    "std_mean",
    "sum",
    "t",
    "tanh",
    "trace",
    "tril",
    "triu",
    "unbind",
    "unique",
    "var",
    "var_mean",
    "vander",
    "logcumsumexp",
    "cummax",
    "quantile",
    "count_nonzero",
    "any",
    "all",
    "aminmax",
    "amax",
    "amin",
    "nan_to_num",
    "trapezoid",
    "kthvalue",
    "clone",
    "contiguous",
]
CALLS = {
    n: (lambda lib, x, n=n: getattr(lib, n)(x))
    for n in NAMES
    if n
    not in (
        "rand_like",
        "unique",
        "quantile",
        "kthvalue",
        "log_softmax",
        "softmax",
        "logsumexp",
        "mode",
        "numel",
        "cumsum",
        "cumprod",
        "logcumsumexp",
        "cummax",
        "flip",
        "vander",
        "contiguous",
    )
}
CALLS.update(
    {
        "softmax": lambda lib, x: lib.softmax(x, 0),
        "logsumexp": lambda lib, x: lib.logsumexp(x, 1),
        "mode": lambda lib, x: lib.mode(x, 0)[0],
        "cumsum": lambda lib, x: lib.cumsum(x, -1),
        "flip": lambda lib, x: lib.flip(x, (0, 1)),
        "sumd": lambda lib, x: x.sum(0),
        "sumk": lambda lib, x: x.sum(-1, keepdim=True),
        "maxd": lambda lib, x: x.max(1),
        "view": lambda lib, x: x.view(15),
        "view-1": lambda lib, x: x.view(-1, 3),
        "resh": lambda lib, x: x.reshape(5, 3),
        "perm": lambda lib, x: x.permute(1, 0),
        "T": lambda lib, x: x.T,
        "mT": lambda lib, x: x.mT,
        "expand": lambda lib, x: x[:1].expand(7, 5),
        "exp2": lambda lib, x: x.expand(2, 3, 5),
        "repeat": lambda lib, x: x.repeat(2, 1),
        "tile": lambda lib, x: lib.tile(x, (2,)),
        "cat": lambda lib, x: lib.cat([x, x * 2], 1),
        "stack": lambda lib, x: lib.stack([x, x], -1),
        "split": lambda lib, x: lib.split(x, 2, 1),
        "chunk": lambda lib, x: lib.chunk(x, 2),
        "hstack": lambda lib, x: lib.hstack([x, x]),
        "vstack": lambda lib, x: lib.vstack([x, x]),
        "idx0": lambda lib, x: x[0],
        "idx1": lambda lib, x: x[..., -1],
        "idx2": lambda lib, x: x[:, None, 1:4:2],
        "idx3": lambda lib, x: x[lib.tensor([0, 2])],
        "idx4": lambda lib, x: x[:, lib.tensor([0, 2])],
        "idx5": lambda lib, x: x[lib.tensor([0, 2]), lib.tensor([1, 3])],
        "mm": lambda lib, x: x @ x.T,
        "matv": lambda lib, x: x @ x[0],
        "dot": lambda lib, x: lib.dot(x[0], x[1]),
        "outer": lambda lib, x: lib.outer(x[0], x[1]),
        "einsum": lambda lib, x: lib.einsum("ij,kj->ik", x, x),
        "einsum1": lambda lib, x: lib.einsum("ij->j", x),
        "tensordot": lambda lib, x: lib.tensordot(x, x, 2),
        "bmm": lambda lib, x: lib.bmm(x[None], x.T[None]),
        "where": lambda lib, x: lib.where(x > 0, x, -x),
        "where2": lambda lib, x: lib.where(x > 0, 1.0, 0.0),
        "clamp": lambda lib, x: x.clamp(-0.5, 0.5),
        "clampt": lambda lib, x: x.clamp(min=x[0]),
        "maskfill": lambda lib, x: x.masked_fill(x > 0, 0.0),
        "pow": lambda lib, x: x**2,
        "rpow": lambda lib, x: 2**x,
        "div": lambda lib, x: x / x.sum(),
        "fdiv": lambda lib, x: x // 2,
        "mod": lambda lib, x: x % 2,
        "float": lambda lib, x: x.float().double(),
        "long": lambda lib, x: x.long(),
        "type_as": lambda lib, x: x.type_as(x),
        "normd": lambda lib, x: x.norm(dim=1),
        "vnorm": lambda lib, x: lib.linalg.norm(x),
        "det": lambda lib, x: lib.linalg.det(x @ x.T),
        "inv": lambda lib, x: lib.linalg.inv(x @ x.T + lib.eye(3)),
        "solve": lambda lib, x: lib.linalg.solve(x @ x.T + lib.eye(3), x),
        "solvev": lambda lib, x: lib.linalg.solve(x @ x.T + lib.eye(3), x[:, 0]),
        "chol": lambda lib, x: lib.linalg.cholesky(x @ x.T + lib.eye(3)),
        "svdvals": lambda lib, x: lib.linalg.svdvals(x),
        "eigvalsh": lambda lib, x: lib.linalg.eigvalsh(x @ x.T),
        "zl": lambda lib, x: lib.zeros_like(x) + x,
        "newz": lambda lib, x: x.new_zeros(3) + x[:, 0],
        "full_like": lambda lib, x: lib.full_like(x, 2) * x,
        "inplace_zl": lambda lib, x: lib.zeros_like(x).add_(x),
        "setitem_zl": lambda lib, x: _written(lib, x),
        "newzset": lambda lib, x: _written_new(lib, x),
        "ones_like_mul": lambda lib, x: lib.ones_like(x).mul_(x),
        "ln": lambda lib, x: lib.nn.functional.layer_norm(x, (5,)),
        "lin": lambda lib, x: lib.nn.functional.linear(x, lib.ones(2, 5, dtype=lib.float64)),
        "gelu": lambda lib, x: lib.nn.functional.gelu(x),
        "mse": lambda lib, x: lib.nn.functional.mse_loss(x, x * 2),
        "l1": lambda lib, x: lib.nn.functional.l1_loss(x, x * 2),
        "ce": lambda lib, x: lib.nn.functional.cross_entropy(x, lib.tensor([0, 1, 2])),
        "nll": lambda lib, x: lib.nn.functional.nll_loss(lib.log_softmax(x, 1), lib.tensor([0, 1, 2])),
        "bce": lambda lib, x: lib.nn.functional.binary_cross_entropy_with_logits(x, (x > 0).double()),
        "norm_fn": lambda lib, x: lib.nn.functional.normalize(x),
        "cos": lambda lib, x: lib.nn.functional.cosine_similarity(x, x + 1),
        "pad": lambda lib, x: lib.nn.functional.pad(x, (1, 1)),
        "drop": lambda lib, x: lib.nn.functional.dropout(x, 0.5, training=False),
        "softplus": lambda lib, x: lib.nn.functional.softplus(x),
        "diag": lambda lib, x: lib.diag(x[0]),
        "diagonal": lambda lib, x: lib.diagonal(x),
        "diagemb": lambda lib, x: lib.diag_embed(x),
        "roll": lambda lib, x: lib.roll(x, 1),
        "rolld": lambda lib, x: lib.roll(x, 1, 0),
        "topk": lambda lib, x: lib.topk(x, 2),
        "gather": lambda lib, x: lib.gather(x, 1, lib.argsort(x, 1)),
        "sel": lambda lib, x: x.select(0, 1),
        "narrow": lambda lib, x: x.narrow(1, 1, 2),
        "isel": lambda lib, x: lib.index_select(x, 1, lib.tensor([0, 3])),
        "scadd": lambda lib, x: lib.zeros_like(x).scatter_add(1, lib.argsort(x, 1), x),
        "take": lambda lib, x: lib.take(x, lib.tensor([0, 7])),
        "tdim": lambda lib, x: x.take_along_dim(lib.argmax(x, 1, keepdim=True), 1),
        "idxadd": lambda lib, x: x.index_add(0, lib.tensor([0, 0]), x[:2]),
        "cdist": lambda lib, x: lib.cdist(x, x + 1),
        "cross": lambda lib, x: lib.linalg.cross(x[:, :3], x[:, 2:]),
        "kron": lambda lib, x: lib.kron(x, x),
        "lerp": lambda lib, x: lib.lerp(x, x * 2, 0.3),
        "addmm": lambda lib, x: lib.addmm(x[:, :3], x, x.T),
        "hypot": lambda lib, x: lib.hypot(x, x),
        "cplx": lambda lib, x: lib.complex(x, x).abs(),
        "polar": lambda lib, x: lib.polar(x.abs(), x).real,
        "quantile": lambda lib, x: lib.quantile(x, 0.3, dim=1),
        "kth": lambda lib, x: lib.kthvalue(x, 2)[0],
        "unfold": lambda lib, x: x.unfold(1, 2, 1),
        "movedim": lambda lib, x: lib.movedim(x, 0, 1),
        "meshgrid": lambda lib, x: lib.meshgrid(x[0], x[1], indexing="ij")[0],
        "nanmed": lambda lib, x: lib.nanmedian(x),
        "bucket": lambda lib, x: lib.bucketize(x, lib.tensor([-0.5, 0.0, 0.5], dtype=lib.float64)),
        "sinc": lambda lib, x: lib.sinc(x),
        "len": lambda lib, x: x.sum() * len(x),
        "iter": lambda lib, x: sum(r.prod() for r in x),
        "shape": lambda lib, x: x.sum() * x.shape[0] * x.size(1) * x.numel() * x.dim(),
        "eq": lambda lib, x: x == x,
        "logical": lambda lib, x: (x > 0) & (x < 1),
        "not": lambda lib, x: ~(x > 0),
        "randn_like0": lambda lib, x: x * 0 + lib.zeros(3, 5, dtype=lib.float64),
        "cumtrapz": lambda lib, x: lib.cumulative_trapezoid(x),
        "block": lambda lib, x: lib.block_diag(x, x),
        "flatten1": lambda lib, x: x.flatten(0),
        "unflat": lambda lib, x: x.unflatten(1, (5, 1)),
        "sq": lambda lib, x: x[None].squeeze(0),
        "msel": lambda lib, x: x.masked_scatter(x > 0, x * 2),
        "renorm": lambda lib, x: lib.renorm(x, 2, 0, 1.0),
        "std1": lambda lib, x: x.std(1),
        "tensor_split": lambda lib, x: lib.tensor_split(x, 2, 1),
        "maximum": lambda lib, x: lib.maximum(x, x * 2),
        "fmod": lambda lib, x: lib.fmod(x, 2),
        "logadd": lambda lib, x: lib.logaddexp(x, x),
        "xlogy": lambda lib, x: lib.xlogy(x, x.abs() + 1),
        "copy_": lambda lib, x: lib.empty_like(x).copy_(x),
        "fill_": lambda lib, x: x.clone().fill_(2.0) + x,
        "zero_": lambda lib, x: x.clone().zero_() + x,
    }
)


def _mapped(library, call, batch):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return library.vmap(lambda x: call(library, x))(library.tensor(batch))


@pytest.mark.parametrize("name", CALLS)
def test_vmap_gives_what_pytorch_gives(name):
    call = CALLS[name]
    theirs = torch.utils._pytree.tree_leaves(_mapped(torch, call, BATCH))
    ours = flatten(_mapped(wengert, call, BATCH))[0]
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert tuple(a.shape) == tuple(b.shape)
        np.testing.assert_allclose(np.asarray(a.numpy()), b.numpy(), rtol=1e-10, atol=1e-12)


PLACES = np.array([[0, 2], [1, 1], [2, 0], [1, 2]])
OF_PLACES = {
    "index_put, added": lambda lib, x, i: x.index_put((i,), x[:2], accumulate=True),
    "take": lambda lib, x, i: lib.take(x, i),
    "put_": lambda lib, x, i: x.clone().put_(i, x[0, :2]),
    "one_hot": lambda lib, x, i: lib.nn.functional.one_hot(i, 4),
    "bincount": lambda lib, x, i: lib.bincount(i, minlength=3),
    "lstsq": lambda lib, x, i: lib.linalg.lstsq(x.mT, x[0, :, None]).solution,
    "singular values of lstsq": lambda lib, x, i: lib.linalg.lstsq(x.mT, x.mT, driver="gelsd").singular_values,
    "histc": lambda lib, x, i: lib.histc(x, 4, -2, 2),
    "masked_scatter": lambda lib, x, i: x.masked_scatter(x > 0, x * 2),
    "searchsorted": lambda lib, x, i: lib.searchsorted(x.sort(-1)[0], x.contiguous()),
    "gradient of embedding": lambda lib, x, i: lib.func.grad(
        lambda w: (lib.nn.functional.embedding(i, w, padding_idx=1) ** 2).sum()
    )(x),
    "gradient of embedding by frequency": lambda lib, x, i: lib.func.grad(
        lambda w: (lib.nn.functional.embedding(i, w, scale_grad_by_freq=True) ** 2).sum()
    )(x),
}


@pytest.mark.parametrize("name", OF_PLACES)
@pytest.mark.filterwarnings("ignore:There is a performance drop", "ignore:vmap. bincount has no batching rule")
def test_vmap_over_indices_gives_what_pytorch_gives(name):
    ours, theirs = (
        lib.vmap(lambda x, i, lib=lib: OF_PLACES[name](lib, x, i))(lib.tensor(BATCH), lib.tensor(PLACES))
        for lib in (wengert, torch)
    )
    assert tuple(ours.shape) == tuple(theirs.shape)
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-10, atol=1e-12)


def test_strides_of_a_member_are_refused():
    with pytest.raises(RuntimeError, match="no memory of their own"):
        wengert.vmap(lambda x: x.as_strided((2, 2), (1, 2)))(wengert.tensor(BATCH))
