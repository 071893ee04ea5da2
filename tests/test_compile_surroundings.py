"""What a compiled function reads from outside: any change is seen at the next call, and none costs no Python."""

from __future__ import annotations

import random
import sys
import threading
from contextlib import suppress
from typing import Any

import pytest

import wengert as torch
from surroundings import WAYS, Reader
from wengert.compile.execute import has_machine_code
from wengert.compile.runtime import layout

X = torch.tensor([1.0, -2.0, 3.0])
# New objects each time: floats, tensors and texts that are equal are not the same.
MAKERS: dict[str, Any] = {
    "int": lambda: 2,
    "another int": lambda: int("1000"),
    "float": lambda: float("2.0"),
    "zero": lambda: float("0.0"),
    "negative zero": lambda: float("-0.0"),
    "bool": lambda: True,
    "text": lambda: "".join(["ab", "c"]),
    "nothing": lambda: None,
    "tensor": lambda: torch.tensor([1.0, 2.0, 3.0]),
    "double tensor": lambda: torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64),
    "scalar tensor": lambda: torch.tensor(4.0),
    "parameter": lambda: torch.nn.Parameter(torch.tensor([3.0, 2.0, 1.0])),
    "function": lambda: lambda x: x - 1,
    "operation": lambda: torch.sin,
    "module": lambda: torch.nn.Linear(3, 2),
}
QUICK = has_machine_code() and layout.array_api() is not None


def _said(function: Any, *args: Any) -> Any:
    """A result for comparison, or the kind of the exception."""
    try:
        y = function(*args)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is to be the same
        return type(error)
    return y.dtype, y.shape, y.requires_grad, str(y.tolist())  # text tells -0.0 from 0.0


def _runs_python(function: Any, *args: Any) -> bool:
    ran: list[Any] = []
    sys.setprofile(lambda frame, event, _: ran.append(frame.f_code.co_name) if event == "call" else None)
    try:
        function(*args)
    finally:
        sys.setprofile(None)
    return bool(ran)


@pytest.fixture(params=WAYS)
def way(request: Any) -> str:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def reader(way: str) -> Reader:
    return WAYS[way]()


def test_every_change_is_seen(reader: Reader) -> None:
    compiled = torch.compile(reader.function)
    chosen = random.Random(5).sample(list(MAKERS), len(MAKERS))
    for name in [*chosen, *chosen[:6]]:
        reader.put(MAKERS[name]())
        want = _said(reader.function, X)
        for _ in range(3):
            assert _said(compiled, X) == want, name
        with torch.no_grad():
            assert _said(compiled, X) == _said(reader.function, X), name


def test_what_is_taken_away_is_missed(reader: Reader) -> None:
    if reader.drop is None:
        pytest.skip("nothing to take away")
    compiled = torch.compile(reader.function)
    reader.put(3)
    assert _said(compiled, X) == _said(compiled, X) == _said(reader.function, X)
    reader.drop()
    want = _said(reader.function, X)
    assert _said(compiled, X) == _said(compiled, X) == want
    with suppress(IndexError):  # a list that is empty now
        reader.put(2)
        assert _said(compiled, X) == _said(compiled, X) == _said(reader.function, X)


@pytest.mark.skipif(not QUICK, reason="needs machine code")
@pytest.mark.parametrize("value", [2, 2.5, None, torch.tensor(2.0)], ids=str)
def test_no_python_runs_while_nothing_changes(way: str, reader: Reader, value: Any) -> None:
    compiled = torch.compile(reader.function)
    reader.put(value)
    compiled(X), compiled(X)
    assert _runs_python(compiled, X) is (way == "an_attribute_that_is_computed")


@pytest.mark.skipif(not QUICK, reason="needs machine code")
def test_an_equal_object_is_asked_about_once() -> None:
    reader = WAYS["an_attribute"]()
    compiled = torch.compile(reader.function)
    reader.put(float("2.5"))
    compiled(X)
    for _ in range(3):
        reader.put(float("2.5"))
        assert _runs_python(compiled, X)
        assert not _runs_python(compiled, X)
    assert compiled.explain().count("traced because") == 1


def test_several_threads_see_the_last_change(way: str, reader: Reader) -> None:
    """While one thread changes the value, each call gives what it had before, or after."""
    if way == "a_list_that_grows":
        pytest.skip("each change makes another function")
    compiled = torch.compile(reader.function)
    makers = [MAKERS[name] for name in ("int", "float", "scalar tensor", "nothing")]
    allowed = []
    for make in makers:
        reader.put(make())
        allowed.append(_said(reader.function, X))
        compiled(X)
    wrong: list[Any] = []
    done = threading.Event()

    def call() -> None:
        while not done.is_set():
            got = _said(compiled, X)
            if got not in allowed:
                wrong.append(got)

    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    chosen = random.Random(7)
    for _ in range(15):
        number = chosen.randrange(4)
        reader.put(makers[number]())
        if (got := _said(compiled, X)) != allowed[number]:
            wrong.append(got)
    done.set()
    for thread in threads:
        thread.join()
    assert wrong == []
