"""Object files in memory: what the loader makes of them, what it refuses, and that LLVM does what it leaves."""

from __future__ import annotations

import ctypes
import gc
import json
import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite")
from kernels import pointwise
from wengert.compile.llvm import elf, machine
from wengert.compile.runtime import processor as processors

ours = pytest.mark.skipif(not elf.is_supported(), reason="LLVM links for this system")

# Constants, a table, memory of its own, a call within, calls of a function that is given and of one of the process.
TEXT = """
@table = internal constant [4 x double] [double 1.0, double 10.0, double 100.0, double 1000.0], align 64
@start = internal global i64 40, align 64
@count = internal global i64 0, align 64
@given_word = external global i64
declare i64 @given(i64)
declare i64 @labs(i64)
define internal double @scaled(i64 %i) noinline {
  %at = getelementptr double, ptr @table, i64 %i
  %x = load double, ptr %at
  %y = fmul double %x, 1.5
  ret double %y
}
define double @look(i64 %i) {
  %n = load i64, ptr @count
  %n1 = add i64 %n, 1
  store i64 %n1, ptr @count
  %y = call double @scaled(i64 %i)
  ret double %y
}
define i64 @calls(i64 %i) {
  %a = call i64 @given(i64 %i)
  %b = call i64 @labs(i64 %a)
  %c = load i64, ptr @count
  %d = load i64, ptr @start
  %e = load i64, ptr @given_word
  %f = add i64 %b, %c
  %g = add i64 %f, %d
  %h = add i64 %g, %e
  ret i64 %h
}
"""
_TO_INT = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)
_TO_FLOAT = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_int64)


@pytest.fixture(scope="module")
def code() -> bytes:
    return machine.emit_object(TEXT)


@pytest.fixture(scope="module")
def given() -> Any:
    function, word = _TO_INT(lambda i: -1000 * i), ctypes.c_int64(7_000_000)
    imports = {"given": ctypes.cast(function, ctypes.c_void_p).value, "given_word": ctypes.addressof(word)}
    return imports, (function, word)


LINKERS = [pytest.param(machine._linked_by_llvm, id="llvm")]
if elf.is_supported():
    LINKERS.append(pytest.param(lambda code, names, imports: machine.Linked(elf.load(code, imports)), id="ours"))


@pytest.mark.parametrize("link", LINKERS)
class TestBoth:
    def test_what_is_loaded_runs(self, link: Any, code: bytes, given: Any) -> None:
        linked = link(code, ("look", "calls"), given[0])
        look, calls = _TO_FLOAT(linked.address("look")), _TO_INT(linked.address("calls"))
        assert [look(i) for i in range(4)] == [1.5, 15.0, 150.0, 1500.0]
        assert calls(3) == 3000 + 4 + 40 + 7_000_000
        assert calls(-2) == 2000 + 4 + 40 + 7_000_000

    def test_each_has_memory_of_its_own(self, link: Any, code: bytes, given: Any) -> None:
        one, two = [link(code, ("look", "calls"), given[0]) for _ in range(2)]
        _TO_FLOAT(one.address("look"))(0)
        assert _TO_INT(one.address("calls"))(0) == 7_000_041
        assert _TO_INT(two.address("calls"))(0) == 7_000_040

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
    def test_a_child_process_has_a_copy(self, link: Any, code: bytes, given: Any) -> None:
        linked = link(code, ("look", "calls"), given[0])
        look, calls = _TO_FLOAT(linked.address("look")), _TO_INT(linked.address("calls"))
        look(0)
        pid = os.fork()
        if pid == 0:
            look(0)
            os._exit(0 if calls(0) == 7_000_042 else 1)
        assert os.waitpid(pid, 0)[1] == 0
        assert calls(0) == 7_000_041


@ours
class TestLoader:
    def test_code_may_be_run_and_not_written(self, code: bytes, given: Any) -> None:
        loaded = elf.load(code, given[0])
        pages = [line.split() for line in Path("/proc/self/maps").read_text().splitlines()]
        place = loaded["look"]
        (rights,) = [
            words[1] for words in pages if int(words[0].split("-")[0], 16) <= place < int(words[0].split("-")[1], 16)
        ]
        assert rights == "r-xp"

    def test_memory_is_given_back(self, code: bytes, given: Any) -> None:
        def mapped() -> int:
            return len(Path("/proc/self/maps").read_text().splitlines())

        elf.load(code, given[0])
        gc.collect()
        before = mapped()
        kept = [elf.load(code, given[0]) for _ in range(50)]
        assert mapped() >= before + 50
        del kept
        assert mapped() <= before + 5

    def test_what_is_called_and_not_there(self, code: bytes) -> None:
        with pytest.raises(elf.UnknownFormError, match="nothing is called given"):
            elf.load(code, {})

    def test_no_damage_brings_it_down(self, code: bytes, given: Any) -> None:
        """Any byte of the header or the sections may be wrong: it is refused, or loads as something."""
        (sections,) = struct.unpack_from("<Q", code, 40)
        for place in [*range(64), *range(sections, len(code), 3)]:
            damaged = code[:place] + bytes([code[place] ^ 0xFF]) + code[place + 1 :]
            try:
                elf.load(damaged, given[0])
            except elf.UnknownFormError:
                continue

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("@t = thread_local global i64 1\ndefine ptr @f() {\n  ret ptr @t\n}", "kind"),
            (
                "define void @f() {\n  ret void\n}\n@f2 = ifunc void (), ptr @g\ndefine ptr @g() {\n  ret ptr @f\n}",
                "kind",
            ),
            ("@c = common global i64 0\ndefine ptr @f() {\n  ret ptr @c\n}", "no section"),
            (
                '@f = global i64 1\n@a = global ptr @f, section ".init_array"\n',
                "section of kind",
            ),
        ],
    )
    def test_what_it_does_not_know_is_refused(self, text: str, reason: str) -> None:
        with pytest.raises(elf.UnknownFormError, match=reason):
            elf.load(machine.emit_object(text), {})

    def test_llvm_takes_what_it_refuses(self, code: bytes, given: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: Any) -> Any:
            raise elf.UnknownFormError("no")

        monkeypatch.setattr(elf, "load", refuse)
        linked = machine.link(code, ("look",), given[0])
        assert _TO_FLOAT(linked.address("look"))(2) == 150.0

    def test_references_far_into_tables(self) -> None:
        """Places within a section of constants, read by number."""
        rows = ", ".join(f"i64 {i * i}" for i in range(3000))
        text = (
            f"@squares = internal constant [3000 x i64] [{rows}]\n"
            "@again = internal constant [2 x ptr] [ptr getelementptr (i64, ptr @squares, i64 7), ptr @squares]\n"
            "define i64 @f(i64 %i) {\n"
            "  %at = getelementptr i64, ptr getelementptr (i64, ptr @squares, i64 1000), i64 %i\n"
            "  %x = load i64, ptr %at\n  %row = load ptr, ptr @again\n  %y = load i64, ptr %row\n"
            "  %z = sub i64 %x, %y\n  ret i64 %z\n}\n"
        )
        linked = machine.link(machine.emit_object(text), ("f",), {})
        function = _TO_INT(linked.address("f"))
        assert [function(i) for i in (0, 1, 1999, -1000)] == [1000**2 - 49, 1001**2 - 49, 2999**2 - 49, -49]


def test_kernels_compute_the_same_by_either(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.linspace(-3, 3, 1001)
    mine = pointwise("sin", "f8").call(x)
    monkeypatch.setattr(elf, "is_supported", lambda: False)
    np.testing.assert_array_equal(pointwise("sin", "f8").call(x), mine)


class TestProcess:
    SCRIPT = """
import json, sys
import wengert as torch
x = torch.ones(64, 64)
y = x @ x
f = torch.compile(torch.func.grad(lambda x: (x.sin() * x).sum()))
g = f(torch.ones(70))
e = torch.linspace(0, 1, 1000).exp().sum().item()
print(json.dumps(["llvmlite.binding" in sys.modules, "wengert.compile.llvm.emit" in sys.modules,
                  y.sum().item(), g.sum().item(), e]))
"""

    @pytest.mark.slow
    @pytest.mark.skipif(not elf.is_supported() or processors._told() is None, reason="LLVM links for this system")
    def test_kernels_from_disk_need_no_compiler(self, tmp_path: Path) -> None:
        environment = os.environ | {"WENGERT_CACHE_DIR": str(tmp_path / "kernels")}
        runs = []
        for _ in range(2):
            command = [sys.executable, "-c", self.SCRIPT]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=True)
            assert done.stderr == ""
            runs.append(json.loads(done.stdout))
        assert [run[:2] for run in runs] == [[True, True], [False, False]]
        assert runs[0][2:] == runs[1][2:]

    def test_what_is_kept_of_the_processor_is_what_llvm_says(self) -> None:
        assert processors.processor() == processors._asked()
        told = processors._told()
        assert told is None or "MHz" not in told
