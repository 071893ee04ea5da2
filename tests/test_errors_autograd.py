"""Frequent errors begin with PyTorch's words and name the variable, the operation, the line, the cause, the remedy."""

import inspect
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import wengert
from both import both, printed

FILE = Path(__file__).name


def message(program: Callable[[], Any], error: type[Exception] = RuntimeError) -> str:
    with pytest.raises(error) as caught:
        program()
    return str(caught.value)


def line_of(program: Callable[..., Any], text: str) -> str:
    """``file.py:12`` of the first line of ``program`` that contains ``text``."""
    lines, first = inspect.getsourcelines(program)
    return f"{FILE}:{first + next(i for i, line in enumerate(lines) if text in line)}"


def leaf(*shape: int) -> Any:
    return wengert.ones(shape, requires_grad=True)


# --- row 1: backward() of something untracked, by cause --------------------------------------------------------------


def cut_by_detach() -> None:
    w, data = leaf(2), wengert.ones(2)
    kept = (w * data).detach()
    twice = kept * 2
    loss = twice.sum()
    loss.backward()


def cut_by_no_grad() -> None:
    w = leaf(2)
    with wengert.no_grad():
        hidden = w * 2
    loss = hidden.sum()
    loss.backward()


@wengert.no_grad()
def cut_by_decorator() -> None:
    w = leaf(2)
    loss = (w * 2).sum()
    loss.backward()


def cut_by_item() -> None:
    w = leaf(2)
    value = w.sum().item() * 2
    loss = wengert.tensor(value)
    loss.backward()


def cut_by_tensor() -> None:
    w = leaf(2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loss = wengert.tensor((w * w).sum())
    loss.backward()


def cut_by_numpy() -> None:
    import numpy as np

    w = leaf(2)
    values = np.exp(w.detach().numpy())
    loss = wengert.from_numpy(values).sum()
    loss.backward()


def cut_by_comparison() -> None:
    w = leaf(2)
    accuracy = (w > 0.5).float().mean()
    accuracy.backward()


def cut_by_argmax() -> None:
    w = leaf(2)
    best = w.argmax() * 1.0
    best.backward()


def never_tracked() -> None:
    inputs, weights = wengert.ones(2), wengert.ones(2)
    loss = ((inputs * weights) ** 2).sum()
    loss.backward()


def integers() -> None:
    counts = wengert.tensor([1, 2]).sum()
    counts.backward()


def cut_inside_a_function() -> None:
    def model(x: Any) -> Any:
        return (x * 2).detach()

    w = leaf(2)
    output = model(w)
    loss = output.sum()
    loss.backward()


def without_a_name() -> None:
    w = leaf(2)
    (w.detach() * 2).sum().backward()


def given_from_outside() -> None:
    def train(loss: Any) -> None:
        loss.backward()

    train(wengert.ones(1))


CAUSES = [
    (cut_by_detach, ["`loss` has no gradient path", "`kept` was cut from `w` by detach()"], "kept ="),
    (cut_by_no_grad, ["`hidden` was computed from `w` under wengert.no_grad()"], "hidden ="),
    (cut_by_decorator, ["`loss` was computed from `w` under wengert.no_grad()"], "loss ="),
    (cut_by_item, ["`value` was cut from `w` by item()"], "value ="),
    (cut_by_tensor, ["`loss` was cut from `w` by wengert.tensor(...)"], "loss ="),
    (cut_by_numpy, ["`values` was cut from `w` by np.exp(...)"], "values ="),
    (cut_by_comparison, ["`accuracy` was cut from `w` by a comparison"], "accuracy ="),
    (cut_by_argmax, ["`best` was cut from `w` by argmax()"], "best ="),
    (never_tracked, ["It was computed from `inputs`, `weights`", "none of these requires grad"], "loss ="),
    (integers, ["`counts` has no gradient path. Its dtype is torch.int64"], None),
    (
        cut_inside_a_function,
        ["`output` was computed from `w`", "Inside of `model`, it was cut by detach()"],
        "output =",
    ),
    (without_a_name, ["This tensor was cut from `w` by detach()"], "w.detach()"),
    (given_from_outside, ["`loss` has no gradient path. Either no tensor", "detach()", "no_grad()", "item()"], None),
]


@pytest.mark.parametrize(("program", "words", "line"), CAUSES, ids=lambda case: getattr(case, "__name__", ""))
def test_backward_of_an_untracked_result(program: Callable[[], None], words: list[str], line: str | None) -> None:
    text = message(program)
    assert text.startswith("element 0 of tensors does not require grad and does not have a grad_fn")
    for part in words:
        assert part in text, text
    if line is not None:
        assert line_of(program, line) in text, text


def test_the_remedy_warns_against_the_usual_repair() -> None:
    assert "`loss.requires_grad = True` afterwards will not help: it silences this error and trains nothing" in message(
        cut_by_detach
    )


# --- row 2: a second backward ----------------------------------------------------------------------------------------


def test_second_backward_names_what_was_freed_and_by_whom() -> None:
    def train() -> None:
        w = leaf(2)
        hidden = (w * 1).exp()
        for _ in range(2):
            loss = (hidden * w).sum()
            loss.backward()

    text = message(train)
    assert text.startswith("Trying to backward through the graph a second time")
    assert f"ExpBackward0 ({line_of(train, 'hidden =')}, `hidden = (w * 1).exp()`)" in text
    assert f"was freed by the backward pass at {line_of(train, 'loss.backward()')}" in text
    for remedy in ("move it into the loop", "detach()", "retain_graph=True"):
        assert remedy in text


def test_second_backward_of_a_function() -> None:
    class Square(wengert.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 2 * ctx.saved_tensors[0]

    def program() -> None:
        y = Square.apply(leaf(1))
        y.backward()
        y.backward()

    text = message(program)
    assert text.startswith("Trying to backward through the graph a second time")
    assert f"was freed by the backward pass at {line_of(program, 'y.backward()')}" in text


# --- row 3: a saved value was changed --------------------------------------------------------------------------------


def result_changed() -> None:
    x = leaf(2)
    a = x.exp()
    a += 1
    a.sum().backward()


def input_changed() -> None:
    x, w = leaf(2), wengert.ones(2)
    y = x * w
    w.mul_(2)
    y.sum().backward()


def part_changed() -> None:
    x, table = leaf(2), wengert.ones(3)
    y = table[1:] * x
    table[0] = 5.0
    y.sum().backward()


def parameter_updated() -> None:
    x, w = leaf(2), leaf(2)
    loss = (x * w).sum()
    with wengert.no_grad():
        w -= 0.1
    loss.backward()


CHANGES = [
    (result_changed, "ExpBackward0", "a = x.exp()", "its result `a`", "a += 1"),
    (input_changed, "MulBackward0", "y = x * w", "`w`", "w.mul_(2)"),
    (part_changed, "MulBackward0", "y = table[1:] * x", "`table[1:]`", "table[0] = 5.0"),
    (parameter_updated, "MulBackward0", "loss = (x * w).sum()", "`w`", "w -= 0.1"),
]


@pytest.mark.parametrize(
    ("program", "node", "made", "what", "written"), CHANGES, ids=lambda case: getattr(case, "__name__", "")
)
def test_a_changed_saved_value(program: Callable[[], None], node: str, made: str, what: str, written: str) -> None:
    text = message(program)
    assert text.startswith(
        "one of the variables needed for gradient computation has been modified by an inplace operation"
    )
    assert f"{node} ({line_of(program, made)}, `{made}`) needs {what}" in text
    assert f"was changed in place at {line_of(program, written)}" in text
    assert "is at version" in text
    assert "expected version" in text
    assert f"clone it before line {line_of(program, made).partition(':')[2]}" in text


# --- row 4: a leaf in place ------------------------------------------------------------------------------------------


def test_a_leaf_written_in_place() -> None:
    def program() -> None:
        weight = leaf(2)
        weight -= 0.1

    text = message(program)
    assert text.startswith("a leaf Variable that requires grad is being used in an in-place operation")
    assert "`with torch.no_grad(): weight -= ...`" in text
    assert "`weight.clone()`" in text


def test_a_view_of_a_leaf_written_in_place() -> None:
    def program() -> None:
        weight = leaf(2)
        weight[0] = 1.0

    text = message(program)
    assert text.startswith("a view of a leaf Variable that requires grad is being used in an in-place operation")
    assert "is a view of `weight`" in text


def test_one_of_several_views_written_in_place() -> None:
    def program() -> None:
        first, _ = (leaf(2) * 1).unbind()
        first += 1

    text = message(program)
    assert text.startswith("Output 0 of Unbind is a view and is being modified inplace.")
    assert f"the view is `first`, made by UnbindBackward0 ({line_of(program, 'unbind')}" in text


# --- rows 5 and 6: .grad of a result ---------------------------------------------------------------------------------


def warning_of(program: Callable[[], Any]) -> warnings.WarningMessage:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        program()
    assert len(caught) == 1
    return caught[0]


def test_grad_of_a_result() -> None:
    def program() -> None:
        weight = leaf(2)
        hidden = weight * 2
        assert hidden.grad is None
        assert weight.grad is None

    warning = warning_of(program)
    text = str(warning.message)
    assert text.startswith("The .grad attribute of a Tensor that is not a leaf Tensor is being accessed")
    assert f"`hidden` is a result (MulBackward0 ({line_of(program, 'hidden =')}, `hidden = weight * 2`))" in text
    assert "computed from the leaf `weight`" in text
    assert "retain_grad()" in text
    assert f"{Path(warning.filename).name}:{warning.lineno}" == line_of(program, "hidden.grad")


def test_grad_of_a_parameter_that_was_replaced() -> None:
    def program() -> None:
        w = leaf(2)
        (w * w).sum().backward()
        w = w - 0.1 * w.grad
        assert w.grad is None

    text = str(warning_of(program).message)
    assert "that line made `w` another tensor" in text
    assert "`with torch.no_grad(): w -= ...`" in text


def test_no_warning_where_there_is_none_in_pytorch() -> None:
    x = leaf(2)
    y = x * 2
    y.retain_grad()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (x.grad, y.grad, y.detach().grad, wengert.ones(1).grad) == (None, None, None, None)


# --- rows 7 to 10 ----------------------------------------------------------------------------------------------------


def test_integers_cannot_require_grad() -> None:
    text = message(lambda: wengert.tensor([1, 2], requires_grad=True))
    assert text.startswith("Only Tensors of floating point and complex dtype can require gradients")
    assert "torch.int64" in text
    assert "tensor([1., 2.])" in text
    text = message(lambda: wengert.tensor([1, 2]).requires_grad_())
    assert text.startswith("only Tensors of floating point dtype can require gradients")
    assert "torch.int64" in text


def test_backward_of_a_vector() -> None:
    def program() -> None:
        y = leaf(3) * 2
        y.backward()

    text = message(program)
    assert text.startswith("grad can be implicitly created only for scalar outputs")
    assert "`y` has shape [3]" in text
    for way in ("y.sum().backward()", "y.mean().backward()", "y.backward(gradient=v) with v of shape [3]"):
        assert way in text


def test_numpy_of_a_tracked_tensor() -> None:
    w = leaf(2)
    text = message(w.numpy)
    assert text.startswith("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
    assert "`w`" in text
    with wengert.no_grad():
        assert w.numpy().tolist() == [1, 1]
    assert w.numpy(force=True).tolist() == [1, 1]


def test_tensor_of_a_tensor_warns_only_if_a_graph_is_lost() -> None:
    w = leaf(2)
    text = str(warning_of(lambda: wengert.tensor(w)).message)
    assert text.startswith("To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone()")
    assert "`w` requires grad" in text
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        wengert.tensor(w.detach())
        float(w.sum())


# --- rows 14 and 24 --------------------------------------------------------------------------------------------------


def test_an_unused_input() -> None:
    def program() -> None:
        w, unused = leaf(1), leaf(2)
        loss = w * 2
        wengert.autograd.grad(loss, [w, unused])

    text = message(program)
    assert text.startswith("The differentiated Tensor at index 1 appears to not have been used in the graph")
    assert "`unused` does not lead to `loss`" in text
    assert "allow_unused=True" in text
    assert "materialize_grads=True" in text


def test_a_gradient_of_another_shape() -> None:
    class Scale(wengert.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * wengert.ones(3)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g

    def program() -> None:
        y = Scale.apply(leaf(1))
        y.sum().backward()

    text = message(program)
    assert text.startswith(
        "Function ScaleBackward returned an invalid gradient at index 0 - got [3] but expected shape"
    )
    assert f"ScaleBackward ({line_of(program, 'y = ')}, `y = Scale.apply(leaf(1))`)" in text


# --- all of them begin as PyTorch's ----------------------------------------------------------------------------------


def same_beginnings(torch: Any) -> None:
    """The first words of each message, as programs match them."""
    x = torch.ones(2, requires_grad=True)
    y = x.exp()
    once = (x * x).sum()
    once.backward()
    changed = x.exp()
    changed.add_(1)
    for failing in (
        torch.ones(1).backward,
        once.backward,
        changed.sum().backward,
        lambda: x.add_(1),
        lambda: x[0].add_(1),
        lambda: (x * 1).unbind()[0].add_(1),
        lambda: torch.tensor([1], requires_grad=True),
        lambda: torch.tensor([1]).requires_grad_(),
        y.backward,
        x.numpy,
        lambda: torch.autograd.grad(y.sum(), torch.ones(1, requires_grad=True)),
        lambda: torch.autograd.grad(y.sum(), torch.ones(1)),
        lambda: y.requires_grad_(False),
        lambda: torch.ones(1).retain_grad(),
        lambda: torch.ones(1).register_hook(print),
        lambda: y.sum().backward(torch.ones(3)),
    ):
        try:
            failing()
        except RuntimeError as error:
            print(" ".join(re.split(r"[\s:]+", str(error))[:6]))


@pytest.mark.conformance
def test_messages_begin_as_in_pytorch() -> None:
    torch = pytest.importorskip("torch")
    assert printed(same_beginnings, wengert) == printed(same_beginnings, torch)


@both
def test_types_of_errors(torch):
    """
    RuntimeError
    RuntimeError
    TypeError
    """
    x = torch.ones(2, requires_grad=True)
    for failing in (x.backward, lambda: x.add_(1), lambda: torch.autograd.backward(x.sum(), [1.0])):
        try:
            failing()
        except Exception as error:  # noqa: BLE001 - which one it is, is the question
            print(type(error).__name__)
