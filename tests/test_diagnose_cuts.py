"""What the engine notes of cuts and of added gradients: enough to tell, and nothing that keeps anything alive."""

import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import wengert
from wengert._source import locate
from wengert.engine.past import SWITCHES, cut_of, passes_of, recent_cuts


def leaf(*shape: int) -> Any:
    return wengert.ones(shape, requires_grad=True)


def detached(w: Any) -> Any:
    return w.detach()


def data(w: Any) -> Any:
    return w.data


def detached_in_place(w: Any) -> Any:
    result = w * 2
    return result.detach_()


def copied(w: Any) -> Any:
    with pytest.warns(UserWarning, match="copy construct"):
        return wengert.tensor(w)


def copied_as(w: Any) -> Any:
    with pytest.warns(UserWarning, match="scalar"):
        return wengert.tensor([w[0], w[1]])


def made_new(w: Any) -> Any:
    with pytest.warns(UserWarning, match="copy construct"):
        return w.new_tensor(w)


TENSORS = [
    (detached, "detach()"),
    (data, ".data"),
    (detached_in_place, "detach_()"),
    (copied, "torch.tensor(...)"),
    (copied_as, "torch.tensor(...)"),
    (made_new, "new_tensor(...)"),
]


@pytest.mark.parametrize(("cut", "how"), TENSORS, ids=lambda case: getattr(case, "__name__", ""))
def test_a_cut_is_noted_on_what_came_of_it(cut: Callable[[Any], Any], how: str) -> None:
    noted = cut_of(cut(leaf(2)))
    assert noted is not None
    assert noted.how == how
    assert noted.code is cut.__code__
    assert noted.lasti >= 0


@pytest.mark.parametrize(
    ("convert", "how"),
    [
        (lambda w: w.sum().item(), "item()"),
        (lambda w: float(w.sum()), "float()"),
        (lambda w: int(w.sum()), "int()"),
        (lambda w: complex(w.sum()), "complex()"),
        (lambda w: w.tolist(), "tolist()"),
        (lambda w: w.numpy(force=True), "numpy()"),
    ],
)
def test_a_conversion_is_noted_among_the_latest(convert: Callable[[Any], Any], how: str) -> None:
    convert(leaf(2))
    assert recent_cuts()[-1].how == how
    assert recent_cuts()[-1].code is convert.__code__


def test_nothing_is_noted_of_what_was_not_tracked() -> None:
    before = recent_cuts()
    t = wengert.ones(2)
    t.detach()
    t.numpy()
    t.sum().item()
    float(t.sum())
    assert t.data is not t
    assert recent_cuts() == before
    assert cut_of(t.detach()) is None


def test_switching_off_is_noted() -> None:
    w = leaf(2)
    w.requires_grad = False
    noted = cut_of(w)
    assert noted is not None
    assert (noted.how, noted.code) == (
        "requires_grad_(False)",
        test_switching_off_is_noted.__code__,
    )


def test_a_state_that_is_detached_in_a_loop_frees_its_past() -> None:
    w = leaf(1000)
    h = wengert.zeros(1000)
    past = []
    for _ in range(5):
        h = wengert.tanh(h.detach() + w)
        past.append(weakref.ref(h.grad_fn))
    alive = [node for node in past if node() is not None]
    assert len(alive) == 1


def test_notes_keep_neither_tensor_nor_graph_alive() -> None:
    gc.collect()
    x = leaf(100)
    y = x * 2
    node, tensor, array = weakref.ref(y.grad_fn), weakref.ref(y), weakref.ref(y.detach()._data)
    z = y.detach() * 1
    y.tolist()
    del y
    assert (node(), tensor(), array()) == (None, None, None)
    assert z.shape == (100,)


def test_the_list_of_the_latest_is_bounded() -> None:
    w = leaf(1)
    for _ in range(1000):
        w.item()
    assert len(recent_cuts()) == 256


def test_added_passes_are_counted_with_their_place() -> None:
    w = leaf(2)
    for _ in range(3):
        (w * w).sum().backward()
    passes = passes_of(w.grad)
    assert passes is not None
    assert (passes.number, passes.updates) == (3, 0)
    assert passes.code is test_added_passes_are_counted_with_their_place.__code__
    place = locate(passes.code, passes.lasti)
    assert place is not None
    assert place.source_line() == "(w * w).sum().backward()"


def test_one_pass_is_no_sum() -> None:
    w = leaf(2)
    (w * w).sum().backward()
    assert passes_of(w.grad) is None


def test_a_gradient_that_was_set_to_zero_is_new() -> None:
    w = leaf(2)
    for _ in range(3):
        (w * w).sum().backward()
        w.grad.zero_()
    assert passes_of(w.grad) is None
    (w * w).sum().backward()
    assert passes_of(w.grad) is None
    (w * w).sum().backward()
    passes = passes_of(w.grad)
    assert passes is not None
    assert passes.number == 2


@pytest.mark.parametrize("shape", [(), (2,)])
def test_updates_between_passes_are_counted(shape: tuple[int, ...]) -> None:
    w = leaf(*shape)
    for _ in range(4):
        (w * w).sum().backward()
        with wengert.no_grad():
            w -= 0.1 * w.grad
    passes = passes_of(w.grad)
    assert passes is not None
    assert (passes.number, passes.updates) == (4, 2)  # the first of three is not seen: nothing is noted of a first pass


# --- where tracking was switched off ---------------------------------------------------------------------------------


def under_no_grad(w: Any) -> Any:
    with wengert.no_grad():
        return w * 2


def calls_it(w: Any) -> Any:
    return under_no_grad(w) + 1


class Model:
    def __call__(self, w: Any) -> Any:
        return self.inner(w).sum()

    def inner(self, w: Any) -> Any:
        with wengert.inference_mode():
            return w.exp()


def line_in(function: Any, offset: int) -> int:
    return int(function.__code__.co_firstlineno + offset)


def test_entering_a_block_is_noted_and_the_packages_own_blocks_are_not() -> None:
    under_no_grad(leaf(2))
    latest = recent_cuts()[-1]
    assert (latest.how, latest.code) == ("no_grad()", under_no_grad.__code__)
    assert latest.how in SWITCHES
    before = recent_cuts()
    wengert.nn.Linear(2, 2)
    assert recent_cuts() == before


@pytest.mark.parametrize(
    ("compute", "place", "how"),
    [
        (calls_it, line_in(under_no_grad, 1), "no_grad()"),
        (Model(), line_in(Model.inner, 1), "inference_mode()"),
    ],
    ids=["function", "object"],
)
def test_a_block_in_what_a_function_calls_is_found(compute: Any, place: int, how: str) -> None:
    w = leaf(2)
    y = compute(w)
    (finding,) = wengert.diagnose(y, w)
    assert (finding.kind, finding.line) == ("switched_off", place)
    assert f"Inside of `compute`, tracking was switched off by {how}" in finding.what


def test_switching_off_from_now_on_is_found_and_switching_on_ends_it() -> None:
    w = leaf(2)
    wengert.set_grad_enabled(False)
    y = (w * 2).sum()
    wengert.set_grad_enabled(True)
    (finding,) = wengert.diagnose(y, w)
    assert (finding.kind, finding.line) == ("switched_off", line_in(finding_test, 2))
    z = calls_it(w)
    (finding,) = wengert.diagnose(z, w)
    assert finding.line == line_in(under_no_grad, 1)


finding_test = test_switching_off_from_now_on_is_found_and_switching_on_ends_it


def test_a_tensor_in_a_list_is_followed() -> None:
    w = leaf(2)
    with wengert.no_grad():
        a = w * 2
    losses = [a.sum()]
    (finding,) = wengert.diagnose(losses[0], w)
    assert (finding.kind, finding.line) == ("switched_off", line_in(test_a_tensor_in_a_list_is_followed, 3))


def test_without_source_the_latest_place_is_told_with_the_doubt() -> None:
    program = """
import wengert
w = wengert.ones(2, requires_grad=True)
with wengert.no_grad():
    y = (w * 2).sum()
said = wengert.diagnose(y, w)
z = w.detach() * 2
then = wengert.diagnose(z, w)
"""
    names: dict[str, Any] = {}
    exec(program, names)
    (said,), (then,) = names["said"], names["then"]
    assert (said.kind, said.line) == ("switched_off", 4)
    assert (then.kind, then.line) == ("cut", 7)
    for finding in (said, then):
        assert "source is not at hand" in finding.what
        assert "whether that is on the way is not known" in finding.what


def test_a_tensor_of_nothing_is_no_cut() -> None:
    w = leaf(2)
    w.detach()
    c = wengert.ones(2)
    (finding,) = wengert.diagnose(c, w)
    assert finding.kind == "never_tracked"
    assert "`c` has no graph" in finding.what
    assert "made of no tensor at all" in finding.what
