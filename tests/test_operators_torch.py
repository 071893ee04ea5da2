"""Functions of networks at the top level, with a number for `reduction`: as PyTorch has them."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

import wengert

torch = pytest.importorskip("torch")

X = [[0.5, -1.0, 2.0], [0.25, 1.5, -0.5]]
Y = [[1.0, 0.25, 0.5], [0.75, 0.5, 0.125]]
SIGNS = [1.0, -1.0]


def _calls(m: Any) -> dict[str, Any]:
    x, y, signs = m.tensor(X, requires_grad=True), m.tensor(Y), m.tensor(SIGNS)
    return {
        "embedding": lambda r: m.embedding(x, m.tensor([[1, 0], [1, 1]]), r - 1, r == 2),
        "kl_div": lambda r: m.kl_div(x, y, r, log_target=r == 2),
        "bce": lambda r: m.binary_cross_entropy_with_logits(x, y, y, m.tensor([1.0, 2.0, 3.0]), r),
        "poisson": lambda r: m.poisson_nll_loss(x, y, True, r == 1, 1e-8, r),
        "hinge": lambda r: m.hinge_embedding_loss(x, m.tensor([[1.0, -1.0, 1.0]] * 2), 1.5, r),
        "cosine": lambda r: m.cosine_embedding_loss(x, y, signs, 0.1, r),
        "ranking": lambda r: m.margin_ranking_loss(x[0], y[0], m.tensor([1.0, -1.0, 1.0]), 0.5, r),
        "triplet": lambda r: m.triplet_margin_loss(x, y, x * 0.5, 1.0, 2.0, 1e-6, True, r),
        "ctc": lambda r: m.ctc_loss(
            x[None].expand(4, -1, -1).log_softmax(2),
            m.tensor([[1, 2], [1, 1]]),
            m.tensor([4, 4]),
            m.tensor([2, 1]),
            0,
            r,
        ),
    }


@pytest.mark.parametrize("name", list(_calls(wengert)))
@pytest.mark.parametrize("reduction", [0, 1, 2])
def test_values_and_gradients(name: str, reduction: int) -> None:
    found = []
    warnings.simplefilter("ignore")  # pytest restores it; `kl_div` warns of the mean
    for m in (torch, wengert):
        call = _calls(m)[name]
        y = call(reduction)
        inner = call.__closure__
        x = next(cell.cell_contents for cell in inner if getattr(cell.cell_contents, "requires_grad", False))
        (g,) = m.autograd.grad((y * y).sum(), x)
        found.append([y.detach().numpy().tolist(), g.numpy().tolist()])
    torch.testing.assert_close(torch.tensor(found[1][0]), torch.tensor(found[0][0]))
    torch.testing.assert_close(torch.tensor(found[1][1]), torch.tensor(found[0][1]))


def test_names_of_reductions_are_refused() -> None:
    with pytest.raises(TypeError, match="must be int"):
        wengert.kl_div(wengert.ones(2), wengert.ones(2), "mean")


def test_small_names() -> None:
    assert wengert.set_flush_denormal(False) is False
    with wengert.inference_mode():
        assert wengert.is_inference(wengert.ones(2))
    assert not wengert.is_inference(wengert.ones(2))
    with pytest.raises(TypeError, match="bfloat16"):
        wengert.ones(2).bfloat16()
    p = wengert.nn.Parameter(wengert.zeros(2))
    p.grad = wengert.tensor([3.0, 4.0])
    with pytest.warns(FutureWarning, match="clip_grad_norm_"):
        assert wengert.nn.utils.clip_grad_norm([p], 1.0).item() == 5.0
