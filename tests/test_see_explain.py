"""Explanations: the derivation of a result and its gradients, from the graph alone."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import wengert as torch
from op_cases import DIFFERENTIABLE, trials
from wengert.see.derivatives import Derivatives
from wengert.see.graph import read
from wengert.see.latex import LatexWriter
from wengert.see.notation import Writer
from wengert.see.replay import replay
from wengert.see.steps import Steps
from wengert.spaces.expression import evaluate
from wengert.testing._trial import Trial


def lines(text: str) -> list[str]:
    """The lines of a text with single blanks."""
    return [" ".join(line.split()) for line in text.splitlines()]


def binary_loss(prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    epsilon = 1e-8
    prediction = torch.clamp(prediction, epsilon, 1 - epsilon)
    return -(target * torch.log(prediction) + (1 - target) * torch.log(1 - prediction))


NEURON = """\
loss = 6.7012

Values
w = 1
x = 6.7
b = 0
y = 0
z = w*x + b = 6.7
y_pred = sigmoid(z) = 0.9988
prediction = clamp(y_pred, 1e-08, 0.99999999) = 0.9988
loss = -(y*log(prediction) + (1 - y)*log(1 - prediction)) = 6.7012

Local derivatives
dloss/dprediction = (prediction - y)/(prediction*(1 - prediction)) = 813.3619
dprediction/dy_pred = [1e-08 <= y_pred <= 0.99999999] = 1
dy_pred/dz = y_pred(1 - y_pred) = 0.001228
dz/dw = x = 6.7
dz/db = 1

Chain rule
dloss/dw = dloss/dprediction * dprediction/dy_pred * dy_pred/dz * dz/dw
= x(y_pred - y)
= 813.3619 * 1 * 0.001228 * 6.7
= 6.6918
dloss/db = dloss/dprediction * dprediction/dy_pred * dy_pred/dz * dz/db
= y_pred - y
= 813.3619 * 1 * 0.001228 * 1
= 0.9988

Gradients
dloss/dw = 6.6918 = w.grad
dloss/db = 0.9988 = b.grad

Functions
sigmoid: 1 / (1 + exp(-x))
"""


@pytest.mark.parametrize("freed", [False, True])
def test_a_neuron_with_the_loss_written_by_hand(freed: bool) -> None:
    x = torch.tensor(6.7)
    y = torch.tensor(0.0)
    w = torch.tensor(1.0, requires_grad=True)
    b = torch.tensor(0.0, requires_grad=True)
    z = w * x + b
    y_pred = torch.sigmoid(z)
    loss = binary_loss(y_pred, y)
    loss.backward(retain_graph=not freed)
    explanation = torch.explain(loss)
    told, remarks = explanation.text.split("\n\nRemarks\n")
    assert lines(told) == lines(NEURON)
    assert " ".join(remarks.split()).startswith(
        "0.99999999 is exactly 1 in float32, so clamp does not keep y_pred below 1: where y_pred rounds to 1"
    )
    assert explanation.gradients["w"] == w.grad.item()
    assert f"{explanation.gradients['b']:.4f}" == "0.9988"
    assert str(explanation) == repr(explanation) == explanation.text


def test_markdown_and_latex() -> None:
    p = torch.tensor(0.25, requires_grad=True)
    y = torch.tensor(1.0)
    loss_value = -(y * torch.log(p) + (1 - y) * torch.log(1 - p))
    explanation = torch.explain(loss_value)
    formula = r"\frac{\partial \mathit{loss\_value}}{\partial p} &= \frac{p - y}{p \, \left(1 - p\right)} = -4"
    assert formula in explanation._repr_markdown_()
    assert formula in explanation._repr_latex_()
    assert explanation.markdown.startswith(r"### $\mathit{loss\_value} = 1.3863$")
    assert explanation.markdown.count("$$") % 2 == 0
    assert explanation.latex.count(r"\begin{aligned}") == explanation.latex.count(r"\end{aligned}")


@pytest.mark.parametrize(
    ("function", "formula"),
    [
        (lambda x: x**2, "2x"),
        (torch.log, "1/x"),
        (torch.sin, "cos(x)"),
        (torch.cos, "-sin(x)"),
        (torch.exp, "y"),
        (torch.tanh, "1 - y^2"),
        (torch.sigmoid, "y(1 - y)"),
        (torch.sqrt, "1/(2y)"),
        (lambda x: 1 / x, "-1/x^2"),
        (torch.reciprocal, "-y^2"),
        (lambda x: x**3 + 2 * x, "3x^2 + 2"),
        (lambda x: (3 * x - 1) ** 2, "6(3x - 1)"),
        (lambda x: x / (1 + x), "1/(x + 1)^2"),
        (torch.erf, "2*exp(-x^2)/sqrt(pi)"),
        (torch.log10, "1/(ln(10)*x)"),
        (lambda x: torch.log(torch.sigmoid(x)), "1 - sigmoid(x)"),
        (torch.relu, "[y > 0]"),
        (torch.abs, "sgn(x)"),
        (lambda x: x - x, "0"),
    ],
)
def test_derivatives_as_a_person_writes_them(function, formula) -> None:
    x = torch.tensor(0.5, requires_grad=True)
    y = function(x)
    found = [line for line in lines(torch.explain(y).text) if line.startswith("dy/dx = ")]
    assert found[0].split(" = ")[1] == formula


def test_elements_of_vectors() -> None:
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = (x**2).mean()
    y.backward()
    told = lines(torch.explain(y).text)
    assert "dy/dx_i = 2x_i/3 = [0.6667, 1.3333, 2]" in told
    assert "dy/dx = [0.6667, 1.3333, 2] = x.grad" in told
    z = x * y
    assert "dz_i/dx_i = y = [4.6667, 4.6667, 4.6667]" in lines(torch.explain(z, x).text)


def test_rows_and_columns_have_letters_of_their_own() -> None:
    x = torch.ones(2, 3, requires_grad=True)
    row = torch.tensor([1.0, 2.0, 3.0])
    y = (x * row).sum()
    told = torch.explain(y).text
    assert "dy/dx_ij = row_j = [[1, 2, 3], [1, 2, 3]]" in lines(told)


def test_several_paths_are_added_up() -> None:
    a = torch.tensor(2.0, requires_grad=True)
    b = a * 3
    c = a * a
    d = b * c
    d.backward()
    told = lines(torch.explain(d).text)
    assert "over d -> b -> a = dd/db * db/da" in told
    assert "over d -> c -> a = dd/dc * dc/da" in told
    assert "dd/da = 12 + 24 = 36" in told
    assert "dd/da = 36 = a.grad" in told


def test_matrices() -> None:
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    w = torch.tensor([[1.0], [1.0]], requires_grad=True)
    b = torch.zeros(1, requires_grad=True)
    h = torch.relu(x @ w + b)
    loss = h.sum()
    loss.backward()
    told = lines(torch.explain(loss).text)
    assert "h = relu(x @ w + b) = [[3], [7]]" in told
    assert "dloss/dw = x^T @ ((dloss/dh)*[h > 0]) = [[4], [6]]" in told
    assert "dloss/db = sum((dloss/dh)*[h > 0], dim=0) = [2]" in told
    assert "dloss/dw = [[4], [6]] = w.grad" in told


def test_only_what_is_asked_for() -> None:
    a = torch.tensor(2.0, requires_grad=True)
    b = torch.tensor(3.0, requires_grad=True)
    c = a * b
    d = c.exp()
    for wrt in (c, "c", [c]):
        told = torch.explain(d, wrt=wrt).text
        assert "dd/dc" in told
        assert "dd/da" not in told
    assert list(torch.explain(d, [a, c]).gradients) == ["a", "c"]


def test_what_grad_says() -> None:
    x = torch.tensor(2.0, requires_grad=True)
    y = x * x
    assert "x.grad is None: backward() has not been called." in torch.explain(y).text
    y.backward(retain_graph=True)
    y.backward()
    assert "x.grad = 8 is 2 times that: 2 backward passes have added to it." in torch.explain(y).text
    x.grad += 0.5
    assert "x.grad = 8.5: other backward passes have added to it, or it has been changed." in torch.explain(y).text
    z = y * 1.0
    assert "y.grad is None: y is no leaf, and retain_grad() was not called." in torch.explain(z, y).text
    with pytest.raises(ValueError, match="wrt is not in the graph of y"):
        torch.explain(z, torch.ones(1, requires_grad=True))


def test_rounds_of_a_loop_are_folded() -> None:
    x = torch.tensor(0.5, requires_grad=True)
    h = x
    for _ in range(200):
        u = h * x
        h = torch.sin(u) + 1
    h.backward()
    told = torch.explain(h).text
    assert "... 197 more rounds like these, of 2 steps each" in told
    assert "h(1) = sin(u(1)) + 1 = 1.2474" in lines(told)
    assert "h = sin(u(200)) + 1 = 1.7757" in lines(told)
    assert "200 paths lead from h to x." in told
    assert "dh/dx = " in told
    assert "= x.grad" in told
    assert len(told.splitlines()) < 60


def test_a_long_derivation_has_a_limit() -> None:
    x = torch.tensor(0.5, requires_grad=True)
    functions = [torch.sin, torch.cos, torch.exp, torch.tanh, torch.sigmoid, torch.atan]
    named = {}
    value = x
    rng = np.random.default_rng(0)
    for number, choice in enumerate(rng.integers(0, 6, 100)):
        value = functions[choice](value)
        named[f"step{number}"] = value
    told = torch.explain(value, limit=10).text
    assert "... 90 more steps" in told
    assert len(told.splitlines()) < 48


def test_a_function_of_the_users() -> None:
    class Twice(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return 2 * x

        @staticmethod
        def backward(ctx, g):
            return 2 * g

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    q = Twice.apply(x)
    r = (q * q).sum()
    r.backward()
    told = torch.explain(r).text
    assert "q = Twice(x) = [2, 4]" in told
    assert "dr/dq_i = 2q_i = [4, 8]" in told
    assert "dq/dx: Twice is a function of yours; its backward() gives numbers and no formula." in told
    assert "dr/dx = [8, 16] = x.grad" in told


def test_what_has_changed_since_is_not_shown_as_if_it_had_not() -> None:
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    x = torch.tensor([3.0, 4.0])
    loss = (w * x).sigmoid().sum()
    loss.backward()
    with torch.no_grad():
        w -= w.grad
    told = torch.explain(loss).text
    assert "w = float32[2], not known any more" in lines(told)
    assert "Changed since loss was computed, or possibly so: w, x." in told


def test_the_arguments_of_a_module_are_found() -> None:
    torch.manual_seed(0)
    model = torch.nn.Linear(2, 1)
    inputs = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    loss = model(inputs).square().mean()
    loss.backward()
    told = torch.explain(loss).text
    assert "mean((inputs @ model.weight^T + model.bias)^2)" in told
    assert told.count("model.weight.grad") == 1


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (torch.relu, "relu of x stands at 0 in 1 of 2 elements, where it has no derivative of its own: 0 is taken"),
        (torch.abs, "abs of x stands at 0 in 1 of 2 elements, where it has no derivative of its own: 0 is taken"),
        (lambda x: x.clamp(-1, 2), "clamp of x stands at a bound in 1 of 2 elements"),
        (lambda x: torch.maximum(x, torch.zeros(2)), "maximum of x stands at a tie in 1 of 2 elements"),
        (lambda x: (x * 0).amax(), "amax of 0*x: 2 elements tie; they share the gradient evenly"),
        (
            lambda x: (x * 0).max(0).values,
            "max of 0*x: 2 elements tie; they are as large, and the first of them gets the whole gradient",
        ),
        (torch.sqrt, "sqrt of x stands at 0 in 1 of 2 elements, where it has no derivative of its own: inf is taken"),
    ],
)
def test_the_subgradient_that_was_taken(function, said) -> None:
    x = torch.tensor([0.0, 2.0], requires_grad=True)
    y = function(x)
    assert said in " ".join(torch.explain(y).text.split())
    x = torch.tensor([0.5, 1.5], requires_grad=True)
    if "tie;" not in said:
        assert "Remarks" not in torch.explain(function(x).sum()).text


def test_a_path_without_slope() -> None:
    x = torch.ones(2, 3, requires_grad=True)
    count = torch.linalg.vector_norm(x, 0, dim=1)
    y = count.sum()
    assert "dy/dx = [[0, 0, 0], [0, 0, 0]]" in lines(torch.explain(y).text)


def test_an_index_that_is_gone() -> None:
    x = torch.ones(3, requires_grad=True)
    y = x.scatter_add(0, torch.tensor([0, 2]), x[:2] * 2).sum()
    y.backward()
    assert "is known any more" in torch.explain(y).text


def test_errors() -> None:
    with pytest.raises(TypeError, match="takes a tensor, and got int"):
        torch.explain(3)
    with pytest.raises(ValueError, match="has no graph"):
        torch.explain(torch.ones(1))
    x = torch.tensor(1.0, requires_grad=True)
    y = x * 2
    with pytest.raises(
        ValueError, match="no value of this graph that requires grad is called 'nothing'; there are x, y"
    ):
        torch.explain(y, "nothing")


# They read one triangle and take the gradient as that of a symmetric matrix, half of it in the other triangle.
SYMMETRIC = {"linalg_cholesky", "linalg_eigh"}


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_every_formula_shown_is_the_derivative(name: str) -> None:
    """For each operation: the local derivatives of a graph of it against finite differences of its implementation."""
    with ThreadPoolExecutor(1) as pool:  # names are not looked for in all of pytest's frames there
        checked = pool.submit(_check_formulas, name).result()
    # finite differences tell nothing of what is complex, or rounds to another dtype
    assert checked or not any(map(_is_plain, trials(name)))


def _check_formulas(name: str) -> int:
    shown = 0
    for trial in trials(name):
        if not _is_plain(trial):
            continue
        for position in trial.tracked:
            if trial.inputs[position].dtype != np.float64:
                continue
            tensors, results = trial.recorded()
            for k, result in enumerate(results):
                if result.grad_fn is None:
                    continue
                shown += _check_formula(trial, tensors[position], position, result, k)
    return shown


def _is_plain(trial: Trial) -> bool:
    """Whether finite differences can tell something: finite double numbers, no complex ones."""
    arrays = [np.asarray(x) for x in (*trial.inputs, *trial.results)]
    finite = all([np.isfinite(x).all() for x in arrays if x.dtype.kind == "f"])
    return finite and all([x.dtype.kind in "biu" or x.dtype == np.float64 for x in arrays])


def _check_formula(trial: Trial, tensor: torch.Tensor, position: int, result: torch.Tensor, k: int) -> int:
    graph = read(result)
    value = graph.value_of(tensor)
    assert value is not None
    steps = Steps(graph, replay(graph), [value])
    (step,) = [step for step in steps.steps if step.value is steps.root]
    local = next(local for local in Derivatives(steps).of(step) if local.input is value)
    assert local.formula is not None, f"{trial!r}: {local.reason}"
    assert Writer().write(local.formula)
    assert LatexWriter().write(local.formula)
    known = {steps.name(v): steps.replayed.raws[v] for v in steps.labels if v in steps.replayed.raws}
    ones = np.ones(result.shape, result._data.dtype)[()]
    with np.errstate(all="ignore"):
        got = evaluate(local.formula, {**known, local.cotangent: ones})
        expected = _difference(trial, position, k)
    if trial.op.name in SYMMETRIC:
        got, expected = (x + np.swapaxes(x, -1, -2) for x in (np.broadcast_to(got, expected.shape), expected))
    text = f"{trial!r}: {Writer().write(local.formula)}"
    np.testing.assert_allclose(np.broadcast_to(got, expected.shape), expected, rtol=2e-5, atol=2e-6, err_msg=text)
    return 1


def _difference(trial: Trial, position: int, k: int) -> np.ndarray:
    """The derivative of the sum of one result by one input, by central differences."""
    x = np.asarray(trial.inputs[position])
    indices = [i for i, g in enumerate(trial.cotangents) if g is not None]
    found = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        ends = []
        for step in (1e-6, -1e-6):
            moved = x.copy()
            moved[index] += step
            inputs = [moved[()] if i == position else given for i, given in enumerate(trial.inputs)]
            ends.append(trial.value(inputs)[indices[k]].sum())
        found[index] = (ends[0] - ends[1]) / 2e-6
    return found


def test_what_vmap_computed_is_told_without_a_formula() -> None:
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    each = torch.vmap(lambda row: (row * w).sum())
    y = each(torch.tensor([[1.0, 2.0], [3.0, 4.0]])).sum()
    told = torch.explain(y).text
    assert "for all members of a batch at once" in told
    assert torch.diagnose(y, w).ok


def test_paths_beyond_counting_are_not_counted() -> None:
    h = x = torch.tensor([0.5, 0.25], requires_grad=True)
    for _ in range(100):
        s = 0.1 * torch.sin(h)
        h = h - s * h
    assert "More than 1,000,000,000 paths lead from" in torch.explain(h.sum(), x).text


def test_of_very_many_inputs_the_first_are_told() -> None:
    w = torch.tensor(0.5, requires_grad=True)
    y = torch.stack([torch.tanh(w * k) for k in range(40)]).mean()
    told = torch.explain(y).text
    assert max(map(len, told.splitlines())) < 200
    assert "stack(" in told
    assert "..." in told


def test_a_matrix_of_one_number_is_said_to_be_one() -> None:
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    w = torch.tensor([[0.5, -1.0]], requires_grad=True)
    assert "dv1/dw = full(1/3) @ x = [[3, 4]]" in str(torch.explain(torch.nn.functional.linear(x, w).mean(), w))
    assert "dv1/dw = ones @ x = [[9, 12]]" in str(torch.explain(torch.nn.functional.linear(x, w).sum(), w))
    v = torch.tensor([[1.0], [2.0]], requires_grad=True)
    assert "dv1/dv = x^T @ full(1/3) = [[3], [4]]" in str(torch.explain((x @ v).mean(), v))
