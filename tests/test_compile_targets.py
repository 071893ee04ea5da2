"""Code for other processors: it assembles, calls nothing that is not there, and computes the same where it can run."""

from __future__ import annotations

import platform
import re
from typing import Any

import numpy as np
import pytest

llvm = pytest.importorskip("llvmlite.binding")
import wengert
from kernels import pointwise
from op_cases import NAMES as OPERATIONS
from op_cases import cases
from samples import Sample
from wengert.compile.llvm import machine
from wengert.compile.llvm.emit import emit_kernel
from wengert.compile.llvm.registry import FLOATS
from wengert.compile.llvm.scalars import TABLE
from wengert.compile.llvm.target import Target
from wengert.compile.nest import Acc, Buffer, Compute, Indirect, Kernel, Load, Loop, Role, Store, at
from wengert.compile.runtime import linking, support_code
from wengert.compile.runtime.keeper_code import KEEPER_TEXT

# Name: triple, processor, features, what the emitter is told.
TARGETS = {
    "x86-64": ("x86_64-unknown-linux-gnu", "x86-64", "", Target(16, fma=False)),
    "haswell": ("x86_64-unknown-linux-gnu", "haswell", "", Target(32)),
    "skylake-avx512": ("x86_64-unknown-linux-gnu", "skylake-avx512", "", Target(64, tables=True)),
    "windows": ("x86_64-pc-windows-msvc", "haswell", "", Target(32)),
    "neoverse-n1": ("aarch64-unknown-linux-gnu", "neoverse-n1", "", Target(16)),
    "apple-m1": ("arm64-apple-macosx", "apple-m1", "", Target(16)),
}
CALLED = {"fmod", "fmodf", "floor", "floorf", "ceil", "ceilf", "trunc", "truncf", "rint", "rintf"}  # of the C library
OWN = re.compile(r"wengert\w*|memcpy|memset|malloc|free|syscall|sched_yield|aligned_alloc|madvise|__chkstk")


def target_machine(name: str) -> Any:
    triple, cpu, features, _ = TARGETS[name]
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    return llvm.Target.from_triple(triple).create_target_machine(cpu=cpu, features=features, opt=2, reloc="pic")


def everything() -> Kernel:
    """Lanes, a reduction, a gather, padding, a nested loop, mixed dtypes, in loops that threads share."""
    body = (
        Load("p", "k", (at("i"),)),
        Load("g", "x", (Indirect("p"),)),
        Load("o", "x", (at("i", 1, -1),), outside=0.0),
        Load("h", "x", (at("i"),), ahead=512),
        Compute("w", "cast", ("o",), "f4"),
        Compute("e", "tanh", ("g",), "f8"),
        Loop("j", 5, (Load("m", "a", (at("i"), at("j"))),), accs=(Acc("t", "max", "m"),)),
        Compute("d", "mul", ("e", "t"), "f8"),
        Compute("u", "add", ("d", "h"), "f8"),
        Store("y", (at("i"),), "u"),
        Store("z", (at("i"),), "w"),
    )
    loop = Loop("i", "n", body, accs=(Acc("s", "sum", "u"),), parallel=True)
    buffers = (
        Buffer("x", "f8", ("n",), Role.IN),
        Buffer("k", "i8", ("n",), Role.IN),
        Buffer("a", "f8", ("n", 5), Role.IN),
        Buffer("y", "f8", ("n",), Role.OUT),
        Buffer("z", "f4", ("n",), Role.OUT),
        Buffer("r", "f8", (), Role.OUT),
    )
    return Kernel("everything", buffers, (loop, Store("r", (), "s")))


def called(assembly: str) -> set[str]:
    """The names of functions that assembly text calls or jumps to."""
    names = re.findall(r"^[ \t]+(?:callq?|jmpq?|bl|b)[ \t]+_?([A-Za-z_][\w.]*)(?:@PLT)?", assembly, re.MULTILINE)
    return {name for name in names if not name.startswith((".", "L", "wengert"))}


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_every_function_assembles_without_a_mathematics_library(name: str) -> None:
    assembler = target_machine(name)
    for op, (_, dtypes) in TABLE.items():
        given = cases(op)[0] if op in OPERATIONS else Sample(*[np.zeros(1)] * 3)  # `fma`, which is the emitter's own
        if any([getattr(x, "dtype", None) != np.float64 for x in given.inputs]):
            continue  # a mask, or a number
        meta, inputs = tuple(given.meta.items()), len(given.inputs)
        for dtype in sorted({*dtypes} & {*FLOATS, "i4"}):
            text, _ = emit_kernel(_pointwise(op, dtype, inputs, meta), TARGETS[name][3])
            module = llvm.parse_assembly(text)
            module.verify()
            found = called(assembler.emit_assembly(module))
            assert found <= CALLED | {n for n in found if OWN.fullmatch(n)}, (op, dtype, found)


_TO_BOOL = {"gt", "ge", "lt", "le", "eq", "ne", "isnan", "isinf", "isfinite", "signbit"}


def _pointwise(op: str, dtype: str, inputs: int, meta: tuple[Any, ...]) -> Kernel:
    result = "b1" if op in _TO_BOOL or op.startswith("logical") else dtype
    loads = [Load(f"v{i}", f"x{i}", (at("i"),)) for i in range(inputs)]
    body = (*loads, Compute("r", op, tuple(f"v{i}" for i in range(inputs)), result, meta), Store("y", (at("i"),), "r"))
    buffers = [Buffer(f"x{i}", dtype, ("n",), Role.IN) for i in range(inputs)]
    return Kernel("k", (*buffers, Buffer("y", result, ("n",), Role.OUT)), (Loop("i", "n", body),))


@pytest.mark.parametrize("name", TARGETS)
def test_a_kernel_of_all_kinds_assembles(name: str) -> None:
    assembler = target_machine(name)
    text, _ = emit_kernel(everything(), TARGETS[name][3])
    module = llvm.parse_assembly(text)
    module.verify()
    assert called(assembler.emit_assembly(module)) <= {"memcpy", "memset"}


@pytest.mark.parametrize("linux", [True, False])
@pytest.mark.parametrize("name", TARGETS)
def test_the_support_code_assembles(name: str, linux: bool) -> None:
    architecture = "x86_64" if TARGETS[name][0].startswith("x86_64") else "aarch64"
    text = support_code.support_text(architecture, linux) + (KEEPER_TEXT if linux else "")
    module = llvm.parse_assembly(text)
    module.verify()
    assert "wengert_share_out" in target_machine(name).emit_assembly(module)


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="these processors are of the x86 family")
@pytest.mark.parametrize("name", ["x86-64", "haswell"])
def test_results_are_the_same_on_a_smaller_machine(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code for a smaller processor of the family, run here: the same kernels, other registers."""
    rng = np.random.default_rng(0)
    if name == "haswell" and not {"avx2", "fma"} <= machine.machine().features:
        pytest.skip("this machine is smaller still")
    inputs = [(rng.normal(size=n), rng.integers(0, max(n, 1), n), rng.normal(size=(n, 5))) for n in (1, 7, 100, 40_000)]
    here = build_everything()
    want = [here(*x) for x in inputs]
    monkeypatch.setattr(linking, "host_target", lambda: TARGETS[name][3])
    monkeypatch.setattr(machine.machine(), "target", target_machine(name))
    monkeypatch.setattr(machine.machine(), "key", name)
    there = build_everything()
    for x, results in zip(inputs, want, strict=True):
        for got, expected in zip(there(*x), results, strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-14, atol=1e-15)
    x = rng.normal(size=333).astype(np.float32)
    for op in ("exp", "sin", "log1p", "atan", "erf"):
        with np.errstate(all="ignore"):
            reference = pointwise(op, "f8")(x.astype(np.float64))
        np.testing.assert_allclose(pointwise(op, "f4")(x), reference, rtol=3e-7, atol=1e-37)


def build_everything() -> Any:
    from wengert.compile.runtime.build import build

    return build(everything())


class TestLongFunctions:
    """Their registers are handed out in another way; the results have the same bits."""

    def test_results_are_the_same(self, monkeypatch: pytest.MonkeyPatch) -> None:
        rng = np.random.default_rng(0)
        inputs = [(rng.normal(size=n), rng.integers(0, n, n), rng.normal(size=(n, 5))) for n in (1, 7, 100, 40_000)]
        xs = [rng.normal(size=333).astype(dtype) for dtype in ("f4", "f8")]
        operations = ("exp", "sin", "log1p", "atan", "erf", "tanh")
        found = []
        for longest in (machine.LONG_FUNCTION, 0):
            monkeypatch.setattr(machine, "LONG_FUNCTION", longest)
            monkeypatch.setattr(machine.machine(), "key", f"from {longest} lines on")
            kernel = build_everything()
            results = [y for x in inputs for y in kernel(*x)]
            with np.errstate(all="ignore"):
                results += [pointwise(op, str(x.dtype.str[1:]))(x) for op in operations for x in xs]
            found.append(results)
        for got, want in zip(*found, strict=True):
            np.testing.assert_array_equal(got, want)

    def test_are_told_by_their_lines(self) -> None:
        text = "declare void @a()\n\ndefine void @b() {\n  ret void\n}\n\ndefine void @c() {\nentry:\n  ret void\n}\n"
        assert machine.longest_function(text) == 4
        assert machine.longest_function("") == 0

    @pytest.mark.slow
    def test_a_gradient_of_five_thousand_operations(self) -> None:
        """A minute and more with the registers of LLVM's best allocator."""

        def long(x: Any) -> Any:
            for i in range(2500):
                x = x * 1.0001 + (x.sin() if i % 10 == 0 else 0.1)
            return x.sum()

        x = wengert.linspace(0, 1, 100, dtype=wengert.float64)
        gradient = wengert.func.grad(long)
        assert wengert.allclose(wengert.compile(gradient)(x), gradient(x), rtol=1e-12)
