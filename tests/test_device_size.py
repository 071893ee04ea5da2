"""Devices and sizes: literal facts, and the same expressions answered by PyTorch."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest

from wengert._device import CPU, device, require_cpu
from wengert._size import Size, size_of


def answer(expression: str, names: dict[str, Any]) -> tuple[str, str]:
    """The printed value and class of an expression, or the class of what it raises."""
    try:
        value = eval(expression, dict(names))
    except (TypeError, ValueError, RuntimeError, AttributeError, IndexError) as error:
        return "raises", type(error).__name__
    return repr(value), type(value).__name__


# --- device -----------------------------------------------------------------------------------------------------

DEVICE_EXPRESSIONS = """
d('cpu'); d(type='cpu'); d('cpu:0'); d('cpu', 0); d('cpu', index=1); d('cpu:12'); d('cuda'); d('cuda:1')
d('cuda', 2); d('meta'); d('mps'); d('foo'); d('CPU'); d('cpu:-1'); d('cpu:01'); d('cpu:'); d('')
d('cpu:0:0'); d('cpu: 1'); d(' cpu'); d(0); d(True); d(3.5); d(None); d(); d(d('cpu')); d(device='cpu')
d(d('cpu'), 0); d('cuda:0', 1); d('cpu', -1); d('cpu', '0'); d('cpu', None); d('cpu', True); d('cpu', 1.0)
d('cpu') == d('cpu:0'); d('cpu') == d('cpu'); d('cpu') != d('cuda'); d('cpu') == 'cpu'; str(d('cpu'))
str(d('cuda:3')); d('cpu').type; d('cpu').index; d('cpu:0').index; d('cpu') < d('cuda')
hash(d('cpu:0')) == hash(d('cpu', 0)); isinstance(d('cpu'), d); setattr(d('cpu'), 'type', 'x')
setattr(d('cpu'), 'x', 1)
""".replace("\n", ";").split(";")


@pytest.mark.conformance
@pytest.mark.parametrize("expression", [e.strip() for e in DEVICE_EXPRESSIONS if e.strip()])
def test_device_as_in_torch(torch: Any, expression: str) -> None:
    assert answer(expression, {"d": device}) == answer(expression, {"d": torch.device})


def test_device_literally() -> None:
    assert repr(device("cpu")) == "device(type='cpu')"
    assert repr(device("cuda", 1)) == "device(type='cuda', index=1)"
    assert (str(device("cpu:0")), device("cpu:0").index, device("cpu").index) == ("cpu:0", 0, None)
    assert device("cpu") == device(device("cpu")) == device(type="cpu") == CPU
    assert device("cpu") != device("cpu:0")
    assert len({device("cpu"), device("cpu"), device("cuda"), device("cuda:0")}) == 3


@pytest.mark.parametrize("text", ["cpu", "cpu:0", "cuda", "cuda:3", "meta"])
def test_devices_can_be_copied_and_pickled(text: str) -> None:
    d = device(text)
    assert copy.deepcopy(d) == pickle.loads(pickle.dumps(d)) == d
    assert str(copy.copy(d)) == text


@pytest.mark.parametrize("place", [None, "cpu", "cpu:0", "cpu:3", device("cpu"), device("cpu", 1), CPU])
def test_the_cpu_in_every_spelling_is_accepted(place: Any) -> None:
    assert require_cpu(place) is CPU


@pytest.mark.parametrize("place", ["cuda", "cuda:1", device("cuda"), device("mps"), "xla"])
def test_other_devices_are_refused_with_portable_code(place: Any) -> None:
    with pytest.raises(RuntimeError) as caught:
        require_cpu(place)
    text = str(caught.value)
    assert f"got device {str(place)!r}" in text
    assert "wengert computes on the CPU only" in text
    assert "device = 'cuda' if torch.cuda.is_available() else 'cpu'" in text


@pytest.mark.parametrize(
    ("place", "error", "text"),
    [
        ("meta", RuntimeError, "no tensors without data"),
        ("gpu", RuntimeError, "Expected one of cpu, cuda, .* at start of device string: gpu"),
        ("cpu:x", RuntimeError, "Invalid device string: 'cpu:x'. Expected 'cpu' or 'cpu', a colon and an index"),
        (0, RuntimeError, "A number alone .0. means an accelerator.*torch.cuda.is_available"),
        (3.5, TypeError, "a torch.device, not float"),
        (["cpu"], TypeError, "a torch.device, not list"),
    ],
)
def test_what_is_no_usable_device_is_refused(place: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        require_cpu(place)


def test_device_is_a_context_manager_on_the_cpu_only() -> None:
    with device("cpu") as d:
        assert d == CPU
    with pytest.raises(ZeroDivisionError), device("cpu:0"):
        1 / 0  # noqa: B018  # leaving by an exception must not swallow it
    with pytest.raises(RuntimeError, match="CPU only"), device("cuda"):
        pytest.fail("the body must not run")


# --- Size -------------------------------------------------------------------------------------------------------

SIZE_EXPRESSIONS = """
s; str(s); s.numel(); S([]).numel(); S(); S((2,)); s[1:]; s[0]; s[-1]; s[::2]; s[-1:]; s[9]; s[True]; s[1.0]
s[[1]]; s + (1,); s + s; (1,) + s; () + s; s * 2; 2 * s; s * 0; s * -1; s + [1]; [1] + s; s + 1; 1 + s
s + ('a',); ('a',) + s; s * 1.0; s * s; s == (2, 3, 4); s != (2, 3, 4); hash(s) == hash((2, 3, 4))
s < (2, 3, 5); {(2, 3, 4): 1}[s]; S([2.0]); S(['a']); S([None]); S(3); S([True]); S([np.int64(3)])
S([np.float64(3)]); S(x=3); S((2, 3), 4); S(iter([1, 2])); S(range(3)); S(s); S([-1, 2]); S([-1, 2]).numel()
S([2, 0]).numel(); s.count(2); s.index(3); s.index(9); len(s); list(s); tuple(s); sum([s], ()); 3 in s
isinstance(s, tuple); setattr(s, 'x', 1); [*s]; a + sum(s); max(s); sorted(s); s.__reduce__()[1]
(lambda a, b, c: b)(*s)
""".replace("\n", ";").split(";")


@pytest.mark.conformance
@pytest.mark.parametrize("expression", [e.strip() for e in SIZE_EXPRESSIONS if e.strip()])
def test_size_as_in_torch(torch: Any, expression: str) -> None:
    def names(kind: Any) -> dict[str, Any]:
        return {"S": kind, "s": kind([2, 3, 4]), "np": np, "a": 1}

    assert answer(expression, names(Size)) == answer(expression, names(torch.Size))


def test_size_literally() -> None:
    s = Size([2, 3, 4])
    assert repr(s) == str(s) == "torch.Size([2, 3, 4])"
    assert (s, s.numel(), Size().numel()) == ((2, 3, 4), 24, 1)
    for derived, printed in [
        (s[1:], "torch.Size([3, 4])"),
        (s + (1,), "torch.Size([2, 3, 4, 1])"),  # noqa: RUF005  # the operator is what is tested
        ((1,) + s, "torch.Size([1, 2, 3, 4])"),  # noqa: RUF005
        (s[:1] * 2, "torch.Size([2, 2])"),
        (2 * s[:1], "torch.Size([2, 2])"),
    ]:
        assert type(derived) is Size
        assert repr(derived) == printed
    assert type(s[0]) is int
    assert size_of((5,)) == Size([5])
    assert type(size_of((5,))) is Size


def test_size_items_become_plain_integers() -> None:
    class Indexed:
        def __index__(self) -> int:
            return 7

    assert [type(n) for n in Size([np.int64(3), True, Indexed()])] == [int, int, int]
    assert Size([np.int64(3), True, Indexed()]) == (3, 1, 7)


def test_size_errors_name_the_item() -> None:
    with pytest.raises(TypeError, match=r"torch.Size\(\) takes an iterable of 'int' \(item 1 is 'float'\)"):
        Size([2, 3.0])  # type: ignore[list-item]
    with pytest.raises(TypeError, match=r"item 3 is 'str'"):
        Size([2, 3, 4]) + ("a",)  # noqa: RUF005
    with pytest.raises(TypeError, match=r"can only concatenate tuple \(not list\) to torch.Size"):
        Size([2]) + [3]  # noqa: RUF005


def test_sizes_keep_their_class_through_copies() -> None:
    s = Size([2, 3])
    for again in (copy.copy(s), copy.deepcopy(s), *(pickle.loads(pickle.dumps(s, p)) for p in range(6))):
        assert type(again) is Size
        assert again == s
