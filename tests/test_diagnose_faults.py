"""Planted faults: each program of tests/faults has one, and what is said of it names its line, cause and remedy."""

import contextlib
import io
import linecache
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import wengert
from wengert.see.findings import Finding, Report

FAULTS = sorted((Path(__file__).parent / "faults").glob("*.py"))
QUESTIONS = {
    name: getattr(wengert, name) for name in ("diagnose", "explain_nan", "explain_zero", "graph_report", "why_none")
}


class Fault(NamedTuple):
    """A program and what is to be said of it, as its first lines have it."""

    path: Path
    source: str
    facts: dict[str, str]

    @property
    def line(self) -> int | None:
        """The line that is marked as the faulty one."""
        lines = self.source.splitlines()
        return next((number for number, line in enumerate(lines, 1) if "# FAULT" in line), None)

    @property
    def says(self) -> list[str]:
        """What the text must contain."""
        return [part.strip().format(file=self.path.name) for part in self.facts["says"].split("|")]


def fault_of(path: Path) -> Fault:
    source = path.read_text(encoding="utf-8")
    lines = source.split('"""')[1].strip().splitlines()
    return Fault(path, source, {key: value for key, _, value in [line.partition(": ") for line in lines]})


@contextlib.contextmanager
def known_source(path: Path, source: str) -> Iterator[None]:
    linecache.cache[str(path)] = (len(source), None, source.splitlines(keepends=True), str(path))
    try:
        yield
    finally:
        linecache.cache.pop(str(path), None)


def run(fault: Fault, names: dict[str, Any]) -> BaseException | None:
    try:
        exec(compile(fault.source, str(fault.path), "exec"), names)
    except Exception as error:  # noqa: BLE001 - which one it is, the test looks at
        return error
    return None


def asked(fault: Fault, names: dict[str, Any]) -> Any:
    """The answer to a question that stands behind the last line of the program."""
    code = compile("\n" * (fault.source.count("\n") + 1) + fault.facts["ask"], str(fault.path), "eval")
    return eval(code, {**names, **QUESTIONS})


def test_there_is_a_fault_for_each_row() -> None:
    rows = {int(fault_of(path).facts["row"].split()[0]) for path in FAULTS}
    assert rows == set(range(1, 25))


@pytest.mark.parametrize("path", FAULTS, ids=lambda path: path.stem)
def test_a_planted_fault_is_found(path: Path) -> None:
    fault = fault_of(path)
    names: dict[str, Any] = {"__name__": "__main__"}
    with known_source(path, fault.source), contextlib.redirect_stdout(io.StringIO()):
        error = run(fault, names)
        if fault.facts["ask"] == "error":
            assert error is not None
            check_error(fault, error)
            return
        assert error is None, error
        report = asked(fault, names)
    assert isinstance(report, Report)
    finding = report[0]
    assert finding.kind == fault.facts["kind"], report
    assert finding.line == fault.line, report
    text = " ".join(str(report).split())
    for part in fault.says:
        assert part in text, text
    assert finding.fault is (fault.facts["kind"] != "grad_graph")
    assert finding.remedy


def check_error(fault: Fault, error: BaseException) -> None:
    text = str(error)
    for part in fault.says:
        assert part in text, text
    assert fault.line is not None
    raised_at = [
        frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(fault.path)
    ]
    named = f"{fault.path.name}:{fault.line}"
    if "# FAULT: raised here" in fault.source:
        assert raised_at[-1] == fault.line
    else:
        assert named in text, text


@pytest.mark.parametrize("path", FAULTS, ids=lambda path: path.stem)
def test_nothing_is_changed_by_asking(path: Path) -> None:
    fault = fault_of(path)
    if fault.facts["ask"] == "error":
        pytest.skip("the program ends with an error")
    names: dict[str, Any] = {"__name__": "__main__"}
    with known_source(path, fault.source):
        assert run(fault, names) is None
        tensors = {name: t for name, t in names.items() if isinstance(t, wengert.Tensor)}
        before = {name: state(t) for name, t in tensors.items()}
        first, second = asked(fault, names), asked(fault, names)
    assert {name: state(t) for name, t in tensors.items()} == before
    assert [shape(finding) for finding in first] == [shape(finding) for finding in second]


def shape(finding: Finding) -> tuple[str, int | None, bool]:
    return finding.kind, finding.line, finding.fault


def state(t: Any) -> str:
    """Everything of a tensor that a question must leave alone; as text, in which NaN equals NaN."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        grad = t.grad
    return str((t.tolist(), t._version, None if grad is None else grad.tolist(), t.grad_fn, t.requires_grad))
