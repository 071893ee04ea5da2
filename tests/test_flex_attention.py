"""Attention with scores and masks of one's own, and what says which implementation computes attention."""

from __future__ import annotations

import numpy as np
import pytest

import wengert

torch = pytest.importorskip("torch")
pytest.importorskip("torch.nn.attention.flex_attention")


@pytest.fixture(autouse=True)
def _theirs_as_written():
    """Compiling each call would take PyTorch seconds."""
    with torch.compiler.set_stance("force_eager"):
        yield


BOTH = (wengert, torch)


def _causal(b, h, q, k):
    return q >= k


def _window(b, h, q, k):
    return (q - k < 3) & (k - q < 2)


def _by_head(b, h, q, k):
    return (q >= k) | (h == 1)


def _nothing_first(b, h, q, k):
    return q > k


def _score_mods(library):
    slopes = library.tensor([0.5, 0.25, 0.125, 0.1], dtype=library.float64)
    documents = library.tensor([0, 0, 1, 1, 1])
    table = library.linspace(-1, 1, 25, dtype=library.float64).reshape(5, 5)
    return {
        "none": None,
        "alibi": lambda s, b, h, q, k: s + slopes[h] * (k - q),
        "causal": lambda s, b, h, q, k: library.where(q >= k, s, -float("inf")),
        "documents": lambda s, b, h, q, k: library.where(documents[q] == documents[k], s, -float("inf")),
        "table": lambda s, b, h, q, k: s * table[q, k] + b,
        "capped": lambda s, b, h, q, k: 2 * library.tanh(s / 2),
    }


MASKS = {"none": None, "causal": _causal, "window": _window, "by head": _by_head, "nothing first": _nothing_first}


def _arrays(heads=4):
    rng = np.random.default_rng(3)
    shapes = (2, 4, 5, 3), (2, heads, 5, 3), (2, heads, 5, 6)
    return [rng.standard_normal(shape) for shape in shapes]


def _run(library, score, mask, heads=4, **settings):
    flex = library.nn.attention.flex_attention
    q, k, v = map(library.tensor, _arrays(heads))
    block = None if MASKS[mask] is None else flex.create_block_mask(MASKS[mask], 2, 4, 5, 5, device="cpu")
    y = flex.flex_attention(q, k, v, _score_mods(library)[score], block, **settings)
    return y.numpy()


@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("score", _score_mods(wengert))
def test_values_are_those_of_pytorch(score, mask):
    np.testing.assert_allclose(*[_run(library, score, mask) for library in BOTH], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("score", ["none", "table", "capped", "causal"])
def test_gradients_are_right(score, mask):
    """By differences: PyTorch has none on the CPU."""
    flex = wengert.nn.attention.flex_attention
    inputs = [wengert.tensor(array[:1, :2, :4], requires_grad=True) for array in _arrays()]
    block = None if MASKS[mask] is None else flex.create_block_mask(MASKS[mask], 1, 2, 4, 4)

    def function(*tensors):
        y, lse = flex.flex_attention(*tensors, _score_mods(wengert)[score], block, return_lse=True)
        return y, lse.masked_fill(lse.isinf(), 0.0)

    assert wengert.autograd.gradcheck(function, inputs)


@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")
def test_fewer_heads_of_keys_and_another_scale():
    results = [_run(library, "alibi", "causal", 2, enable_gqa=True, scale=0.3) for library in BOTH]
    np.testing.assert_allclose(*results, rtol=1e-10, atol=1e-12)


def test_attention_without_scores_of_ones_own_is_the_usual_one():
    q, k, v = map(wengert.tensor, _arrays())
    flex = wengert.nn.attention.flex_attention
    usual = wengert.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    block = flex.create_block_mask(_causal, None, None, 5, 5)
    own, lse = flex.flex_attention(q, k, v, block_mask=block, return_lse=True)
    np.testing.assert_allclose(own.numpy(), usual.numpy(), rtol=1e-12)
    scores = (q @ k.mT / 3**0.5).masked_fill(wengert.ones(5, 5).triu(1).bool(), -wengert.inf)
    np.testing.assert_allclose(lse.numpy(), scores.logsumexp(-1).numpy())
    _, extra = flex.flex_attention(q, k, v, block_mask=block, return_aux=flex.AuxRequest(max_scores=True))
    assert extra.lse is None
    np.testing.assert_allclose(extra.max_scores.numpy(), scores.amax(-1).numpy())


@pytest.mark.parametrize("name", [name for name in MASKS if MASKS[name] is not None])
@pytest.mark.parametrize("block", [128, (64, 32)])
def test_blocks_are_those_of_pytorch(name, block):
    made = []
    for library in BOTH:
        flex = library.nn.attention.flex_attention
        mask = flex.create_block_mask(MASKS[name], 1, 2, 300, 200, device="cpu", BLOCK_SIZE=block)
        dense = flex.create_mask(MASKS[name], 1, 2, 300, 200, device="cpu").numpy()
        parts = mask.kv_num_blocks, mask.full_kv_num_blocks, mask.to_dense()
        made.append((dense, *[part.numpy() for part in parts]))
        shown = tuple(mask.shape), mask.numel(), round(mask.sparsity(), 6), mask.seq_lengths, mask.BLOCK_SIZE
        made[-1] += (np.array(str(shown)),)
    for ours, theirs in zip(*made, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_masks_can_be_joined_and_made_of_scores():
    made = []
    for library in BOTH:
        flex = library.nn.attention.flex_attention
        masks = [
            flex.and_masks(_causal, _window),
            flex.or_masks(_causal, _window),
            flex.noop_mask,
            lambda s, b, h, q, k, library=library: library.where(q >= k, s, -float("inf")),
        ]
        made.append([flex.create_mask(mask, 1, 2, 4, 5, device="cpu").numpy() for mask in masks])
    np.testing.assert_array_equal(*made)
    with pytest.raises(RuntimeError, match="callable"):
        wengert.nn.attention.flex_attention.and_masks(_causal, None)


def test_shapes_that_do_not_fit():
    flex = wengert.nn.attention.flex_attention
    q, k, v = map(wengert.tensor, _arrays(2))
    with pytest.raises(ValueError, match="4D"):
        flex.flex_attention(q[0], k, v)
    with pytest.raises(ValueError, match="number of heads"):
        flex.flex_attention(q, k, v)
    with pytest.raises(ValueError, match="block_mask was created"):
        flex.flex_attention(q, q, q, block_mask=flex.create_block_mask(_causal, None, None, 8, 8))


def test_the_choice_of_an_implementation_has_no_effect():
    attention = wengert.nn.attention
    assert {b.name: b.value for b in attention.SDPBackend} == {
        name: int(value) for name, value in torch.nn.attention.SDPBackend.__members__.items()
    }
    q, k, v = map(wengert.tensor, _arrays())
    plain = wengert.nn.functional.scaled_dot_product_attention(q, k, v)
    for given in (attention.SDPBackend.FLASH_ATTENTION, [attention.SDPBackend.MATH]):
        with attention.sdpa_kernel(given):
            assert wengert.equal(wengert.nn.functional.scaled_dot_product_attention(q, k, v), plain)
    with pytest.raises(TypeError, match="SDPBackend"), attention.sdpa_kernel(["math"]):
        pass


@pytest.mark.filterwarnings("ignore:Lower right causal bias will produce NaNs")
@pytest.mark.parametrize("size", [(2, 5), (5, 2), (3, 3)])
def test_causal_masks_for_other_lengths(size):
    from torch.nn.attention import bias as theirs

    from wengert.nn.attention import bias as ours

    rng = np.random.default_rng(0)
    q, k = rng.standard_normal((1, 1, size[0], 4)), rng.standard_normal((1, 1, size[1], 4))
    for name in ("causal_upper_left", "causal_lower_right"):
        results = [
            library.nn.functional.scaled_dot_product_attention(
                *map(library.tensor, (q, k, k)), attn_mask=getattr(home, name)(*size)
            )
            for library, home in ((wengert, ours), (torch, theirs))
        ]
        np.testing.assert_allclose(*[np.nan_to_num(t.numpy(), nan=-9.0) for t in results], rtol=1e-10)
