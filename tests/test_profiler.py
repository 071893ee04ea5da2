"""Profilers: which events there are, how they nest, what tables and traces say of them. No test looks at a time."""

import cProfile
import gzip
import json
import sys
from itertools import pairwise

import pytest

import wengert
from wengert.autograd import profiler
from wengert.engine.state import STATE
from wengert.profiler import ProfilerAction, ProfilerActivity, profile, record_function, schedule


def _names(events):
    return [event.name for event in events]


def test_operations_rules_and_blocks_nest():
    x = wengert.ones(2, 3, requires_grad=True)
    with profile() as p:
        with record_function("loss"):
            y = (x.sin() * 2).sum()
        y.backward()
        x.detach().add_(1)
    events = p.events()
    assert _names(events) == [
        *("loss", "aten::sin", "aten::mul", "aten::sum", "SumBackward0", "MulBackward0", "SinBackward0"),
        "aten::add_",
    ]
    assert _names(events[0].cpu_children) == ["aten::sin", "aten::mul", "aten::sum"]
    assert all([child.cpu_parent is events[0] for child in events[0].cpu_children])
    assert events[0].is_user_annotation
    inside = [event.time_range for event in events[0].cpu_children]
    outer = events[0].time_range
    assert all([outer.start <= own.start <= own.end <= outer.end for own in inside])
    assert all([a.end <= b.start for a, b in pairwise(inside)])
    assert events[0].self_cpu_time_total == pytest.approx(
        outer.elapsed_us() - sum([child.cpu_time_total for child in events[0].cpu_children])
    )


def test_rules_that_are_recorded_show_their_operations():
    x = wengert.tensor(2.0, requires_grad=True)
    with profile() as p:
        wengert.autograd.grad(x.sin(), x, create_graph=True)
    (rule,) = [event for event in p.events() if event.name == "SinBackward0"]
    assert "aten::cos" in _names(rule.cpu_children)


def test_values_and_gradients_are_those_without_it():
    def run():
        x = wengert.tensor([[0.5, -1.0], [2.0, 3.0]], requires_grad=True)
        y = (x @ x).exp().mean() + x[0, 1] ** 3
        y.backward()
        return y.detach(), x.grad

    expected = run()
    with profile():
        found = run()
    assert all([wengert.equal(a, b) for a, b in zip(found, expected, strict=True)])


def test_averages_shapes_and_places():
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True, with_stack=True) as p:
        for n in (2, 3, 3):
            wengert.ones(n, 1) @ wengert.ones(1, 2)
    (product,) = p.key_averages()
    assert (product.key, product.count) == ("aten::mm", 3)
    assert product.cpu_time == pytest.approx(product.cpu_time_total / 3)
    by_shape = p.key_averages(group_by_input_shape=True, group_by_stack_n=1)
    assert [(a.count, a.input_shapes) for a in by_shape] == [(1, ((2, 1), (1, 2))), (2, ((3, 1), (1, 2)))]
    assert all(["test_profiler.py(" in a.stack[0] and "test_averages" in a.stack[0] for a in by_shape])
    text = by_shape.table(sort_by="count", row_limit=1, header="Products")
    assert "Products" in text
    assert "[[3, 1], [1, 2]]" in text
    assert "[[2, 1], [1, 2]]" not in text
    assert "Source Location" in text


def test_table():
    with profiler.profile() as p:
        (wengert.ones(3) + 1).sum()
    lines = p.key_averages().table(sort_by="self_cuda_time_total", row_limit=10, time_unit="ms").splitlines()
    heads = ["Name", "Self CPU %", "Self CPU", "CPU total %", "CPU total", "CPU time avg", "# of Calls"]
    assert [head.strip() for head in lines[1].split("  ") if head.strip()] == heads
    assert lines[3].split()[0] == "aten::add"
    assert lines[3].split()[-1] == "1"
    assert lines[3].split()[2].endswith("ms")
    assert lines[-1].startswith("Self CPU time total: ")
    assert "aten::sum" in str(p)
    assert p.self_cpu_time_total == pytest.approx(p.total_average().self_cpu_time_total)
    with pytest.raises(AttributeError, match="colour"):
        p.table(sort_by="colour")


def test_traces(tmp_path):
    with profile(record_shapes=True, with_stack=True) as p, record_function("all"):
        wengert.ones(3).exp()
    p.export_chrome_trace(tmp_path / "trace.json")
    p.export_chrome_trace(str(tmp_path / "trace.json.gz"))
    entries = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    assert gzip.decompress((tmp_path / "trace.json.gz").read_bytes()) == (tmp_path / "trace.json").read_bytes()
    assert [(e["name"], e["cat"], e["ph"]) for e in entries] == [
        ("all", "user_annotation", "X"),
        ("aten::exp", "cpu_op", "X"),
    ]
    assert entries[1]["args"]["Input Dims"] == [[3]]
    assert entries[0]["ts"] <= entries[1]["ts"]
    p.export_stacks(str(tmp_path / "stacks"), "cpu_time_total")
    for line in (tmp_path / "stacks").read_text().splitlines():
        assert "test_traces" in line
        assert line.rsplit(" ", 1)[1].isdigit()


def test_steps(tmp_path):
    ready = []
    plan = schedule(wait=1, warmup=1, active=2, repeat=2, skip_first=1)
    with profile(schedule=plan, on_trace_ready=lambda p: ready.append((p.step_num, _names(p.events())))) as p:
        for _ in range(12):
            wengert.ones(2) * 2
            p.step()
    first = ["ProfilerStep#3", "aten::mul", "ProfilerStep#4", "aten::mul"]
    assert ready == [(5, first), (9, [name.replace("3", "7").replace("4", "8") for name in first])]
    assert p.key_averages()[0].key == "ProfilerStep*"
    handler = wengert.profiler.tensorboard_trace_handler(str(tmp_path / "log"), "w", use_gzip=True)
    with profile(on_trace_ready=handler):
        wengert.ones(2).exp()
    (written,) = (tmp_path / "log").iterdir()
    assert b"aten::exp" in gzip.decompress(written.read_bytes())
    with pytest.raises(AssertionError, match="schedule"):
        schedule(wait=0, warmup=0, active=0)


def test_schedules_are_pytorchs(torch):
    for settings in (
        {"wait": 1, "warmup": 1, "active": 2},
        {"wait": 0, "warmup": 2, "active": 1, "repeat": 2, "skip_first": 3},
        {"wait": 2, "warmup": 1, "active": 1, "repeat": 1, "skip_first": 1, "skip_first_wait": 1},
    ):
        ours, theirs = schedule(**settings), torch.profiler.schedule(**settings)
        assert [ours(n).name for n in range(20)] == [theirs(n).name for n in range(20)]
    names = [action.name for action in torch.profiler.ProfilerAction]
    assert all([action.name in names for action in ProfilerAction])


def test_errors_and_unfinished_profilers():
    with profile() as p:
        with pytest.raises(RuntimeError, match="running in this thread already"), profiler.profile():
            pass
        with pytest.raises(RuntimeError, match="inconsistent tensor size"):
            wengert.ones(2) @ wengert.ones(3)
        with pytest.raises(AssertionError, match="nothing to show"):
            p.events()
        wengert.ones(2).exp()
    assert _names(p.events())[-1] == "aten::exp"
    assert all([event.cpu_parent is None for event in p.events()])
    with profiler.profile(enabled=False) as off:
        wengert.ones(2).exp()
    assert repr(off) == str(off) == "<unfinished profiler>"
    with pytest.raises(RuntimeError, match="Profiler didn't finish running"):
        off.key_averages()
    with pytest.raises(AssertionError, match="Torch not compiled with CUDA enabled"), profiler.emit_nvtx():
        pass
    with profiler.emit_nvtx(enabled=False), profiler.emit_itt(enabled=False):
        pass


def test_an_error_ends_it():
    with pytest.raises(TypeError), profile() as p, record_function("block"):
        wengert.ones(2).exp() + None
    assert _names(p.events()) == ["block", "aten::exp"]
    assert (STATE.profiler, STATE.one_by_one, sys.getprofile()) == (None, False, None)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="cProfile uses sys.monitoring there, and both can run")
def test_pythons_profiler_is_left_alone():
    with cProfile.Profile(), pytest.raises(RuntimeError, match="Python's profiling hook serves one"), profile():
        pass


def test_anomaly_mode_is_another_matter():
    with profile():
        assert not wengert.is_anomaly_enabled()
        with wengert.autograd.set_detect_anomaly(True):
            assert STATE.one_by_one
        assert STATE.one_by_one
        x = wengert.tensor(0.0, requires_grad=True)
        (x.sqrt() * 0).backward()
        assert x.grad.isnan()


def test_compiled_functions_are_one_event():
    def double(x):
        return (x * 2).exp()

    compiled = wengert.compile(double)
    x = wengert.ones(3)
    compiled(x)
    with profile() as p:
        compiled(x)
    assert len(p.events()) == 1
    assert "double" in p.events()[0].name


def test_names_are_pytorchs(torch):
    def names(lib):
        x = lib.ones(2, 3, 4, 4)
        with lib.autograd.profiler.profile() as p:
            lib.nn.Linear(4, 2)(x).exp()
            lib.nn.Conv2d(3, 2, 3)(x)
            lib.nn.BatchNorm2d(3)(x) ** 2
            lib.nn.LayerNorm(4)(x).to(lib.float64)
            lib.nn.GroupNorm(3, 3)(x)
            3 * x - 1
        return {event.key for event in p.function_events}

    ours = names(wengert)
    wanted = ["linear", "exp", "convolution", "batch_norm", "pow", "layer_norm", "to", "group_norm", "mul", "sub"]
    assert {f"aten::{name}" for name in wanted} <= ours & names(torch)


def test_blocks_without_a_profiler():
    @record_function("f")
    def f(x):
        return x + 1

    with record_function("nothing"):
        assert f(wengert.ones(())).item() == 2
    with profile() as p:
        f(wengert.ones(()))
    assert _names(p.events()) == ["f", "aten::add"]


@pytest.mark.parametrize(("activities", "error"), [(3, TypeError), ([3], AssertionError), ([], AssertionError)])
def test_what_is_no_activity(activities, error) -> None:
    with pytest.raises(error, match="ProfilerActivity"):
        profile(activities=activities)
