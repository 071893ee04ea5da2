"""The questions of a diagnosis one by one: what is found, where, with which numbers."""

import gc
import warnings
from pathlib import Path
from typing import Any

import pytest

import wengert as torch
from command import wengert, write
from wengert.see.findings import Finding, Report, share, shown

HERE = Path(__file__).name


def leaf(*values: float) -> Any:
    return torch.tensor(list(values), requires_grad=True)


def first(report: Report, kind: str, statement: str | None = None) -> Finding:
    """The first finding, whose kind and line are checked."""
    assert report.findings, report
    finding = report[0]
    assert finding.kind == kind, report
    if statement is not None:
        assert finding.location is not None
        assert finding.location.source_line() == statement, report
    return finding


# --- why_none --------------------------------------------------------------------------------------------------------


def test_a_gradient_that_is_there() -> None:
    w = leaf(1.0)
    loss = w.sum()
    loss.backward()
    report = torch.why_none(loss, w)
    assert report.ok
    assert str(report).endswith("`w` has a gradient.")


def test_no_backward_yet() -> None:
    w = leaf(1.0)
    loss = (w * w).sum()
    assert "call `loss.backward()`" in str(first(torch.why_none(loss, w), "no_backward", "loss = (w * w).sum()"))


def test_a_graph_of_which_no_pass_leaves_a_trace() -> None:
    w = leaf(1.0)
    loss = (w + 1).sum()
    assert "keeps nothing that a backward pass frees" in first(torch.why_none(loss, w), "no_backward").what


def test_removed_since() -> None:
    w = leaf(1.0, 2.0)
    loss = (w * w).sum()
    loss.backward()
    w.grad = None
    first(torch.why_none(loss, w), "removed", "loss.backward()")


def test_returned_by_autograd_grad() -> None:
    w = leaf(1.0, 2.0)
    loss = (w * w).sum()
    torch.autograd.grad(loss, w)
    first(torch.why_none(loss, w), "returned", "torch.autograd.grad(loss, w)")


def test_not_among_the_inputs() -> None:
    w, b = leaf(1.0, 2.0), leaf(1.0, 1.0)
    loss = (w * w * b).sum()
    loss.backward(inputs=[b])
    first(torch.why_none(loss, w), "not_asked", "loss.backward(inputs=[b])")


def test_never_tracked() -> None:
    w = torch.ones(2)
    loss = (w * leaf(1.0, 2.0)).sum()
    finding = first(torch.why_none(loss, w), "never_tracked", "w = torch.ones(2)")
    assert "`w.requires_grad_()`" in str(finding)


def test_switched_off_after_it_was_used() -> None:
    w = leaf(1.0, 2.0)
    loss = (w * w).sum()
    w.requires_grad = False
    finding = first(torch.why_none(loss, w), "frozen", "w.requires_grad = False")
    assert "after `loss` was computed from it" in finding.what


def test_integers() -> None:
    n = torch.tensor([1, 2])
    loss = (leaf(1.0, 2.0) * n).sum()
    assert "torch.int64" in first(torch.why_none(loss, n), "integer", "n = torch.tensor([1, 2])").what


def test_a_new_tensor_under_the_same_name() -> None:
    w = leaf(1.0)
    loss = (w * w).sum()
    w = leaf(2.0)
    first(torch.why_none(loss, w), "rebound", "w = leaf(2.0)")


def test_a_copy_of_a_leaf() -> None:
    w = leaf(1.0, 2.0)
    flat = w.reshape(-1)
    loss = (w * w).sum()
    finding = first(torch.why_none(loss, flat), "copy", "flat = w.reshape(-1)")
    assert "was computed from `w` without it" in finding.what


def test_not_used_at_all() -> None:
    w, other = leaf(1.0), leaf(2.0)
    loss = (w * w).sum()
    assert "`loss` depends on `w`, and not on `other`" in first(torch.why_none(loss, other), "not_used").what


def test_cut_on_the_way_though_the_result_is_tracked() -> None:
    w, b = leaf(1.0, -1.0), leaf(1.0, 1.0)
    mask = (w > 0).float()
    loss = (b * mask).sum()
    finding = first(torch.why_none(loss, w), "cut", "mask = (w > 0).float()")
    assert finding.variable == "mask"
    assert finding.remedy is not None
    assert "sigmoid for a comparison" in finding.remedy


def test_under_no_grad_though_the_result_is_tracked() -> None:
    w, b = leaf(1.0, -1.0), leaf(1.0, 1.0)
    with torch.no_grad():
        scale = w * 2
    loss = (b * scale).sum()
    first(torch.why_none(loss, w), "switched_off", "scale = w * 2")


class Model:
    def __init__(self) -> None:
        self.w = leaf(1.0, 2.0)

    def __call__(self, x: Any) -> Any:
        hidden = self.w * x
        values = hidden.tolist()
        return torch.tensor(values)


def test_inside_of_what_is_called() -> None:
    model = Model()
    w = model.w
    out = model(w)
    loss = out.sum()
    finding = first(torch.why_none(loss, w), "cut")
    assert "Inside of `model`" in finding.what
    assert finding.location is not None
    assert finding.location.source_line() in ("values = hidden.tolist()", "return torch.tensor(values)")


def test_a_cut_that_only_the_note_knows() -> None:
    def make() -> Any:
        return {"h": leaf(1.0, 2.0).detach()}

    state = make()
    loss = state["h"].sum()
    w = leaf(1.0)
    first(torch.why_none(loss, w), "no_graph", 'loss = state["h"].sum()')
    h = state["h"]
    loss = h.sum()
    finding = first(torch.why_none(loss, w), "cut", 'return {"h": leaf(1.0, 2.0).detach()}')
    assert "`h` was cut by detach()" in finding.what


def test_of_several_names_that_of_the_question_is_used() -> None:
    w = leaf(1.0)
    h = w * 2
    loss = h
    assert "from `loss`?" in str(torch.why_none(loss, w))
    assert "from `h`?" in str(torch.why_none(h, w))


# --- explain_nan -----------------------------------------------------------------------------------------------------


def test_nan_in_the_data() -> None:
    data = torch.tensor([1.0, float("nan")])
    w = leaf(1.0, 2.0)
    loss = (w * data).sum()
    finding = first(torch.explain_nan(loss, w), "input")
    assert (finding.variable, finding.index) == ("data", (1,))


@pytest.mark.parametrize(
    ("compute", "kind", "remedy"),
    [
        (lambda x: torch.log(x).sum(), "log_of_zero", "clamp"),
        (lambda x: torch.log(x - 1).sum(), "outside_domain", "clamp"),
        (lambda x: (x / x).sum(), "zero_by_zero", "double where"),
        (lambda x: (1 / x).sum(), "division_by_zero", "double where"),
        (lambda x: torch.sqrt(x - 1).sum(), "outside_domain", "sqrt"),
        (lambda x: torch.exp(x + 1000).sum(), "overflow", "exponent"),
        (lambda x: torch.acos(x + 2).sum(), "outside_domain", "clamp"),
        (lambda x: (x - 1).pow(0.5).sum(), "outside_domain", "root"),
        (lambda x: (torch.exp(x + 99) / torch.exp(x + 99).sum()).sum(), "overflow", "softmax"),
        (lambda x: torch.log(torch.exp(x + 99).sum()), "overflow", "logsumexp"),
        (lambda x: torch.log(1 + torch.exp(x + 99)).sum(), "overflow", "softplus"),
        (lambda x: torch.log(torch.sigmoid(x - 200)).sum(), "log_of_zero", "logsigmoid"),
        (lambda x: torch.log(torch.softmax(x * 1000, 0)).sum(), "log_of_zero", "log_softmax"),
        (lambda x: ((torch.exp(x) - 1) / x).sum(), "zero_by_zero", "expm1"),
        (lambda x: (torch.log(1 + x) / x).sum(), "zero_by_zero", "log1p"),
        (lambda x: (x * 3e38 * 3 - x * 3e38 * 5).sum(), "overflow", "finite"),
    ],
)
def test_forward_causes_and_their_remedies(compute: Any, kind: str, remedy: str) -> None:
    x = leaf(0.0, 0.5)
    y = compute(x)
    finding = first(torch.explain_nan(y, x), kind)
    assert remedy in str(finding), finding
    assert finding.location is not None
    assert finding.location.source_line() is not None


@pytest.mark.parametrize(
    ("compute", "kind", "remedy"),
    [
        (lambda x: torch.sqrt(x).sum(), "sqrt_at_zero", "1e-12"),
        (lambda x: torch.sqrt((x * x).sum() * 0), "sqrt_at_zero", "double where"),
        (lambda x: torch.where(x > 0, torch.log(x), x).sum(), "unselected_branch", "double where"),
        (lambda x: (torch.sqrt(x) * torch.tensor([0.0, 1.0])).sum(), "unselected_branch", "double where"),
        (lambda x: torch.sqrt(x).masked_fill(x == 0, 0.0).sum(), "unselected_branch", "double where"),
        (lambda x: (torch.sqrt(x) * 0).sum(), "unselected_branch", "double where"),
        (lambda x: x.pow(0.5).sum(), "sqrt_at_zero", "root"),
        (lambda x: (1 / (1 + torch.exp(x + 99))).sum(), "zero_times_inf", "sigmoid"),
    ],
)
def test_backward_causes_and_their_remedies(compute: Any, kind: str, remedy: str) -> None:
    x = leaf(0.0, 4.0)
    y = compute(x)
    assert torch.isfinite(y)
    finding = first(torch.explain_nan(y, x), kind)
    assert remedy in str(finding), finding
    assert "gradient that arrives" in finding.numbers


def test_numbers_of_an_infinite_slope() -> None:
    x = leaf(4.0, 0.0)
    y = (torch.sqrt(x) * 3).sum()
    finding = first(torch.explain_nan(y, x), "sqrt_at_zero")
    assert finding.index == (1,)
    assert finding.numbers == {"x[1]": 0.0, "local derivative": float("inf"), "gradient that arrives": 3.0}


def test_of_two_causes_the_first_in_forward_order_is_named() -> None:
    x = leaf(0.0, 1.0)
    logs = torch.log(x)
    inverse = 1 / x
    y = (inverse + logs).sum()
    finding = first(torch.explain_nan(y, x), "log_of_zero", "logs = torch.log(x)")
    assert "From there it goes on: AddBackward0" in " ".join(finding.what.split())


def test_of_two_causes_the_first_in_backward_order_is_named() -> None:
    x = leaf(0.0, 1.0)
    early = torch.sqrt(x)
    late = torch.sqrt(x * 2)
    y = (late + early).sum()
    first(torch.explain_nan(y, x), "sqrt_at_zero", "late = torch.sqrt(x * 2)")


def test_a_dead_nan_is_noted_and_is_no_fault() -> None:
    x = leaf(0.0, 4.0)
    ratio = torch.tensor([0.0, 1.0]) * 1.0
    unused = torch.log(x * 0) * 1
    y = torch.where(torch.tensor([True, True]), x, unused).sum() + ratio.sum()
    report = torch.explain_nan(y)
    assert [f.kind for f in report if not f.fault] == ["dead"] or report[0].kind == "unselected_branch"


def test_a_mask_of_infinities_is_meant() -> None:
    scores = leaf(1.0, 2.0)
    y = torch.softmax(scores.masked_fill(torch.tensor([True, False]), float("-inf")), 0)[1]
    assert not torch.explain_nan(y, scores).findings


def test_a_row_that_is_masked_altogether() -> None:
    scores = leaf(1.0, 2.0)
    weights = torch.softmax(scores.masked_fill(torch.tensor([True, True]), float("-inf")), 0)
    y = weights.sum()
    finding = first(torch.explain_nan(y, scores), "not_finite")
    assert finding.variable == "weights"
    assert "unmasked" in str(finding)


def test_a_gradient_that_an_earlier_pass_spoilt() -> None:
    w = leaf(0.0)
    torch.sqrt(w).sum().backward()
    loss = (w * 2).sum()
    loss.backward()
    finding = first(torch.diagnose(loss, w), "stale")
    assert "earlier backward pass" in finding.what


def test_a_result_without_a_graph() -> None:
    y = torch.tensor([1.0, float("inf")])
    assert first(torch.explain_nan(y), "no_graph").index == (1,)
    assert torch.explain_nan(torch.ones(1)).ok


# --- explain_zero ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("compute", "kind"),
    [
        (lambda x: torch.relu(x - 10).sum(), "relu_off"),
        (lambda x: torch.tanh(x * 100).sum(), "saturated"),
        (lambda x: torch.clamp(x, 5, 6).sum(), "clamped"),
        (lambda x: torch.floor(x).sum(), "step_function"),
        (lambda x: torch.sign(x).sum(), "step_function"),
        (lambda x: (x * 0).sum(), "times_zero"),
        (lambda x: (x * torch.zeros(2)).sum(), "times_zero"),
        (lambda x: torch.maximum(x, x.detach() + 1).sum(), "not_chosen"),
        (lambda x: torch.where(x > 9, x, torch.zeros(2)).sum(), "not_selected"),
        (lambda x: torch.exp(x - 500).sum(), "underflow"),
        (lambda x: torch.softmax(x, 0).sum(), "cancels"),
        (lambda x: (x - x).sum(), "cancels"),
        (lambda x: (x - x.detach()).pow(2).sum(), "stationary"),
        (lambda x: (x * 1e-30 * 1e-30).sum(), "underflow"),
    ],
)
def test_causes_of_a_gradient_of_zero(compute: Any, kind: str) -> None:
    x = leaf(1.0, 2.0)
    y = compute(x)
    (g,) = torch.autograd.grad(y, x, retain_graph=True)
    assert not g.any()
    assert first(torch.explain_zero(y, x), kind).fault is (kind != "stationary")
    assert torch.diagnose(y, x).ok is (kind == "stationary")


def test_shares_of_elements() -> None:
    x = leaf(-1.0, -2.0, -3.0, 4.0)
    report = torch.explain_zero(torch.relu(x).sum(), x)
    assert report[0].numbers == {"share": 0.75}
    assert "3 of 4 elements (75 %)" in report[0].what
    assert report.ok


def test_zeros_that_only_pass_through_are_nobodys_fault() -> None:
    x = leaf(-1.0, 2.0, -3.0, 4.0)
    y = torch.relu(x.reshape(2, 2).T.flip(0) * 3).sum()
    assert [finding.kind for finding in torch.explain_zero(y, x)] == ["relu_off"]


def test_explain_zero_needs_a_graph() -> None:
    with pytest.raises(ValueError, match="has no graph"):
        torch.explain_zero(torch.ones(1), leaf(1.0))


# --- graph_report ----------------------------------------------------------------------------------------------------


def test_counts_and_holders() -> None:
    gc.collect()
    before = torch.graph_report().nodes
    w = leaf(1.0, 2.0)
    kept = (w * w).exp()
    report = torch.graph_report()
    assert report.nodes - before == report.growth == 2
    (holder,) = [holder for holder in report.holders if holder.name == "kept"]
    assert (holder.nodes, holder.tensors) == (2, 1)
    assert holder.nbytes >= 2 * 8  # `w` and the result
    assert holder.location is not None
    assert holder.location.source_line() == "kept = (w * w).exp()"
    assert kept.requires_grad


def test_a_list_of_losses() -> None:
    w = leaf(1.0, 2.0)
    losses = []
    for _ in range(4):
        loss = (w * w).sum()
        loss.backward()
        losses.append(loss)
        w.grad = None
    finding = first(torch.graph_report(), "kept_alive")
    assert finding.variable == "losses"
    assert "4 tensors" in finding.what
    assert "losses.append(loss.item())" in str(finding)


def test_a_sum_within_one_graph_is_no_fault() -> None:
    w = leaf(1.0, 2.0)
    total = 0.0
    for _ in range(10):
        total = total + (w * w).sum()
    assert torch.graph_report().ok
    total.backward()
    assert torch.graph_report().ok


def test_batches_that_are_added_up_on_purpose_are_only_noted() -> None:
    w = leaf(1.0, 2.0)
    for _ in range(3):
        (w * w).sum().backward()
    assert [(f.kind, f.fault) for f in torch.graph_report()] == [("accumulated", False)]


# --- reports and findings --------------------------------------------------------------------------------------------


def test_a_report_is_a_sequence_of_findings() -> None:
    x = leaf(-1.0)
    report = torch.explain_zero(torch.relu(x).sum(), x)
    assert (len(report), list(report), bool(report)) == (1, [report[0]], True)
    assert report.faults == report.findings
    assert repr(report) == str(report)
    assert "**Remedy:**" in report._repr_markdown_()


def test_long_lines_are_broken_and_numbers_are_short() -> None:
    report = Report("Why?", (Finding("kind", "word " * 60, numbers={"x": 1 / 3}), Finding("other", "Short.")))
    assert all(len(line) <= 115 for line in str(report).splitlines())
    assert "x = 0.333333" in str(report)
    assert "2. Short." in str(report)
    assert (shown(True), shown(2.5e-9), shown(3)) == ("True", "2.5e-09", "3")
    assert (share(1, 1), share(4, 4), share(1, 3)) == ("the only element", "all 4 elements", "1 of 3 elements (33 %)")


@pytest.mark.parametrize("question", [torch.diagnose, torch.why_none, torch.explain_zero])
def test_what_is_no_tensor_is_refused(question: Any) -> None:
    with pytest.raises(TypeError, match="expected a tensor, but got float"):
        question(leaf(1.0), 2.0)


# --- notebooks and the command ---------------------------------------------------------------------------------------


def test_a_cut_in_another_cell(tmp_path: Path) -> None:
    path = write(
        tmp_path / "book.ipynb",
        "import torch\nimport wengert\nw = torch.ones(2, requires_grad=True)\nh = w.detach() * 2",
        "loss = h.sum()",
        "print(wengert.why_none(loss, w))",
    )
    done = wengert("run", path)
    assert "`h` was cut from `w` by detach() at In[1]:4, `h = w.detach() * 2`" in " ".join(done.stdout.split())


PROGRAM = """import sys
import torch


def train(steps):
    w = torch.ones(2, requires_grad=True)
    for _ in range(steps):
        hidden = w * 2
        loss = (hidden.detach() * 2).sum()
        loss.backward()


x = torch.tensor([0.0, 1.0], requires_grad=True)
y = (x * torch.log(x)).sum()
print(sys.argv[1:])
if len(sys.argv) > 1:
    train(3)
"""


def test_the_command_asks_behind_the_last_line(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text(PROGRAM)
    done = wengert("diagnose", path, "--target", "y", "--wrt", "x")
    assert done.returncode == 1
    assert done.stderr == ""
    assert done.stdout.startswith("[]\nWhat is wrong with `y` and its gradient by `x`?")
    assert "train.py:14: y = (x * torch.log(x)).sum()" in done.stdout
    assert "torch.xlogy(x, x)" in done.stdout


def test_the_command_asks_where_the_program_failed(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text(PROGRAM)
    done = wengert("diagnose", "--target", "loss", path, "--", "more")
    assert done.returncode == 1
    assert "`loss` was cut from `hidden` by detach() at train.py:9" in " ".join(done.stdout.split())
    assert 'line 17, in <module>\n    train(3)\n  File "' in done.stderr
    assert "wengert/" not in done.stderr


@pytest.mark.parametrize(
    ("target", "said"),
    [("nothing", "name 'nothing' is not defined"), ("sys", "expected a tensor"), ("1 +", "no Python")],
)
def test_the_command_refuses_in_one_line(tmp_path: Path, target: str, said: str) -> None:
    path = tmp_path / "train.py"
    path.write_text(PROGRAM)
    done = wengert("diagnose", path, "--target", target)
    assert done.returncode == 2
    assert done.stderr.startswith("wengert: error: ")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_error_of_ours_shows_the_programs_lines_only(tmp_path: Path) -> None:
    path = tmp_path / "program.py"
    path.write_text("import torch\n\ndef step(w):\n    (w * 2).backward()\n\nstep(torch.ones(2, requires_grad=True))\n")
    done = wengert("run", path)
    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if line.lstrip().startswith("File")]
    assert lines == [f'  File "{path}", line 6, in <module>', f'  File "{path}", line 4, in step']


@pytest.fixture(autouse=True)
def quiet() -> Any:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The .grad attribute")
        yield


# --- a user's own derivative -----------------------------------------------------------------------------------------


class Refusing(torch.autograd.Function):
    """Its backward raises."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x * 2

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        raise ValueError("no such slope")


class Once(torch.autograd.Function):
    """Its backward runs once: it drops what it kept itself, or has the engine free it."""

    @staticmethod
    def forward(ctx: Any, x: Any, saves: bool) -> Any:
        ctx.x = x
        if saves:
            ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        if ctx.needs_input_grad[0] and ctx.saved_tensors:
            return 2 * ctx.saved_tensors[0] * g, None
        x = ctx.x
        del ctx.x
        return 2 * x * g, None


def test_a_backward_that_raises_is_told() -> None:
    w = leaf(1.0, 2.0)
    h = Refusing.apply(w)
    finding = first(torch.diagnose(h.sum()), "backward_raises", "h = Refusing.apply(w)")
    assert finding.fault
    assert finding.what.startswith("Refusing.backward raises ValueError: no such slope.")
    assert finding.variable == "w"


@pytest.mark.parametrize("saves", [False, True])
def test_a_backward_that_has_run_is_no_fault(saves: bool) -> None:
    w = leaf(1.0, 2.0)
    loss = Once.apply(w, saves).sum()
    loss.backward()
    assert torch.diagnose(loss).ok
    assert torch.diagnose(loss, w).ok


def test_the_exit_code_that_a_program_asks_for_does_not_count(tmp_path: Path) -> None:
    head = "import sys\nimport torch\nw = torch.tensor(2.0, requires_grad=True)\n"
    program = tmp_path / "program.py"
    program.write_text(f"{head}loss = w * w\nsys.exit(3)\n", encoding="utf-8")
    assert wengert("diagnose", "--target", "loss", program).returncode == 0
    program.write_text(f"{head}loss = torch.log(w - 2)\nsys.exit(0)\n", encoding="utf-8")
    assert wengert("diagnose", "--target", "loss", program).returncode == 1
    assert "does not count" in wengert("diagnose", "--help").stdout
