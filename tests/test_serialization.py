"""Files: what was saved comes back, damaged and hostile files are refused, and nothing in a file is executed."""

from __future__ import annotations

import io
import json
import os
import pickle
import random
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert

DTYPES = [
    getattr(wengert, n)
    for n in (
        "bool",
        "uint8",
        "int8",
        "int16",
        "uint16",
        "int32",
        "uint32",
        "int64",
        "uint64",
        "float16",
        "float32",
        "float64",
        "complex64",
        "complex128",
    )
]


def saved(obj: Any) -> bytes:
    buffer = io.BytesIO()
    wengert.save(obj, buffer)
    return buffer.getvalue()


def loaded(data: bytes) -> Any:
    return wengert.load(io.BytesIO(data))


def same(a: Any, b: Any) -> bool:
    if isinstance(a, wengert.Tensor):
        return (
            type(a) is type(b)
            and a.dtype == b.dtype
            and a.requires_grad == b.requires_grad
            and a.shape == b.shape
            and np.array_equal(a.detach().numpy(), b.detach().numpy())
        )
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and np.array_equal(a, b)
    if isinstance(a, dict):
        return type(a) is type(b) and list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return type(a) is type(b) and (a == b or a != a)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (3, 2), (2, 0, 3)], ids=str)
def test_every_dtype_comes_back(dtype: Any, shape: tuple[int, ...]) -> None:
    t = wengert.from_numpy(np.random.default_rng(1).integers(0, 2, shape).astype(dtype.np))
    back = loaded(saved({"t": t, "transposed": t.transpose(0, -1) if shape else t}))
    assert same(back["t"], t)
    back["t"].zero_()  # it can be written to


OBJECTS = [
    {"a": wengert.ones(2), "b.c": wengert.zeros(1, dtype=wengert.int64)},
    OrderedDict(b=1, a=[1.5, None, True, "text", (1, (2,)), float("inf"), 1 + 2j, {3, 4}, frozenset([5])]),
    {1: "one", (1, "x"): 2, None: 3, 2.5: 4},
    [wengert.Size([1, 2]), wengert.float32, np.arange(3), np.ones(())],
    wengert.nn.Parameter(wengert.ones(2)),
    [wengert.nn.Parameter(wengert.ones(2), requires_grad=False), wengert.ones(2, requires_grad=True)],
    wengert.tensor(3.0),
    {},
    "__metadata__",
    {"__metadata__": wengert.ones(1), "a.b": wengert.ones(1), "a": {"b": wengert.zeros(1)}},
    {"x": float("nan"), "y": -0.0, "z": 2**80},
]


@pytest.mark.parametrize("obj", OBJECTS, ids=range(len(OBJECTS)))
def test_containers_come_back(obj: Any) -> None:
    assert same(loaded(saved(obj)), obj)


def test_one_tensor_in_two_places_is_one_tensor() -> None:
    t = wengert.ones(1000)
    data = saved([t, {"again": t}])
    assert len(data) < 6000
    a, b = loaded(data)
    assert a is b["again"]


def test_training_goes_on() -> None:
    def make() -> tuple[Any, Any]:
        net = wengert.nn.Sequential(wengert.nn.Linear(2, 3), wengert.nn.BatchNorm1d(3), wengert.nn.Linear(3, 1))
        return net, wengert.optim.Adam(net.parameters(), lr=0.1)

    def steps(net: Any, optimizer: Any) -> float:
        wengert.manual_seed(3)
        for _ in range(3):
            optimizer.zero_grad()
            loss = net(wengert.randn(5, 2)).square().mean()
            loss.backward()
            optimizer.step()
        return float(loss.detach())

    net, optimizer = make()
    steps(net, optimizer)
    data = saved({"net": net.state_dict(), "optimizer": optimizer.state_dict()})
    other, another = make()
    state = loaded(data)
    other.load_state_dict(state["net"])
    another.load_state_dict(state["optimizer"])
    assert steps(net, optimizer) == steps(other, another)


@pytest.mark.parametrize(
    "obj",
    [object(), [lambda: 1], {"net": wengert.nn.Linear(1, 1)}, {b"key": 1}],
    ids=["object", "function", "module", "key"],
)
def test_what_cannot_be_saved_says_so_and_leaves_the_old_file(obj: Any, tmp_path: Path) -> None:
    path = tmp_path / "file"
    wengert.save("old", path)
    with pytest.raises(TypeError, match="cannot save"):
        wengert.save(obj, path)
    assert wengert.load(path) == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_an_error_while_writing_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    wengert.save({"w": wengert.ones(3)}, path)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        wengert.save({"w": wengert.zeros(3)}, path)
    assert wengert.load(path)["w"].tolist() == [1, 1, 1]
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.slow
def test_a_process_killed_while_saving_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    wengert.save({"w": wengert.ones(3)}, path)
    program = f"""
import os, signal, wengert
wengert.ones(1)
real = os.fsync
os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL)
wengert.save({{"w": wengert.zeros(100000)}}, {str(path)!r})
"""
    done = subprocess.run([sys.executable, "-c", program], check=False)
    assert done.returncode == -9
    assert wengert.load(path)["w"].tolist() == [1, 1, 1]


# --- damaged and hostile files ---


def _mutations(data: bytes, n: int) -> list[bytes]:
    rng = random.Random(8)
    made = []
    for i in range(n):
        b = bytearray(data)
        at = rng.randrange(len(b))
        kind = i % 5
        if kind == 0:
            b = b[:at]
        elif kind == 1:
            b[rng.randrange(min(len(b), 600))] ^= 1 << rng.randrange(8)
        elif kind == 2:
            b[at : at + rng.randrange(1, 9)] = rng.randbytes(rng.randrange(1, 9))
        elif kind == 3:
            del b[at : at + rng.randrange(1, 40)]
        else:
            b[at:at] = rng.randbytes(rng.randrange(1, 40))
        if bytes(b) != data:
            made.append(bytes(b))
    return made


STATE = {"net": {"weight": wengert.arange(12.0).reshape(3, 4), "mask": wengert.tensor([True, False])}, "epoch": 3}


def _refused_or_whole(data: bytes, original: Any) -> bool:
    """Whether a damaged file was refused. If not, only numbers in it may differ, not what it is made of."""
    try:
        got = loaded(data)
    except (RuntimeError, pickle.UnpicklingError):
        return True
    assert _shape(got) == _shape(original) or isinstance(got, (dict, str, int, float, type(None), list))
    return False


def _shape(obj: Any) -> Any:
    if isinstance(obj, dict):
        return {k: _shape(v) for k, v in obj.items()}
    return obj.shape if isinstance(obj, wengert.Tensor) else type(obj)


def test_a_hundred_mutations_of_a_file() -> None:
    data = saved(STATE)
    made = _mutations(data, 400)
    refused = sum([_refused_or_whole(m, STATE) for m in made])
    assert refused > 0.6 * len(made)
    assert all(_refused_or_whole(data[:n], STATE) for n in range(0, len(data), 7))  # truncated files: all


def _file(header: Any, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


ONE = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
HOSTILE = {
    "nothing": b"",
    "no header": b"1234567",
    "a header of 2^63 bytes": struct.pack("<Q", 2**63) + b"{}",
    "a header longer than the file": struct.pack("<Q", 100) + b"{}",
    "a header that is a list": _file([]),
    "no JSON": _file(b'{"a":'),
    "no UTF-8": _file(b'{"\xff":1}'),
    "deep nesting": _file(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "a name twice": _file(b'{"a":%s,"a":%s}' % ((json.dumps(ONE).encode(),) * 2), b"1234"),
    "an unknown dtype": _file({"a": {**ONE, "dtype": "F99"}}, b"1234"),
    "a dtype that is a list": _file({"a": {**ONE, "dtype": ["F32"]}}, b"1234"),
    "a negative size": _file({"a": {**ONE, "shape": [-1, -1]}}, b"1234"),
    "a huge shape": _file({"a": {**ONE, "shape": [2**62, 2**62]}}, b"1234"),
    "no elements in a huge shape": _file({"a": {"dtype": "F32", "shape": [0, 2**62], "data_offsets": [0, 0]}}),
    "a shape of the wrong kind": _file({"a": {**ONE, "shape": [1.0]}}, b"1234"),
    "a shape that does not fit the offsets": _file({"a": {**ONE, "shape": [2]}}, b"1234"),
    "offsets beyond the file": _file({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}, b"1234"),
    "offsets backwards": _file({"a": {**ONE, "data_offsets": [4, 0]}}, b"1234"),
    "overlapping tensors": _file({"a": ONE, "b": ONE}, b"1234"),
    "a hole": _file({"a": {**ONE, "data_offsets": [4, 8]}}, b"12345678"),
    "bytes that belong to nothing": _file({"a": ONE}, b"12345678"),
    "more keys": _file({"a": {**ONE, "more": 1}}, b"1234"),
    "no offsets": _file({"a": {"dtype": "F32", "shape": [1]}}, b"1234"),
    "metadata of the wrong kind": _file({"__metadata__": {"a": 1}}),
    "a boolean of 2": _file({"a": {"dtype": "BOOL", "shape": [1], "data_offsets": [0, 1]}}, b"\x02"),
    "a structure that names nothing": _file({"__metadata__": {"wengert.structure": '{"tensor":"x"}'}}),
    "a structure of an unknown kind": _file({"__metadata__": {"wengert.structure": '{"import":"os"}'}}),
    "a structure that is no JSON": _file({"__metadata__": {"wengert.structure": "{"}}),
    "a structure that leaves a tensor out": _file({"__metadata__": {"wengert.structure": "1"}, "a": ONE}, b"1234"),
    "a structure with an unhashable key": _file({"__metadata__": {"wengert.structure": '{"dict":[[{"list":[]},1]]}'}}),
    "a bare pickle": pickle.dumps({"a": 1}),
    "an empty archive": b"PK\x03\x04" + bytes(30),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused(name: str) -> None:
    with pytest.raises(RuntimeError, match=r"\w{3}"):
        loaded(HOSTILE[name])


def test_files_of_other_writers() -> None:
    halves = np.array([1.5, -2.0, 0.0], np.float32).view(np.uint32) >> 16
    entry = {"dtype": "BF16", "shape": [3], "data_offsets": [0, 6]}
    got = loaded(_file({"__metadata__": {"format": "pt"}, "w": entry}, halves.astype("<u2").tobytes()))
    assert got["w"].dtype is wengert.float32
    assert got["w"].tolist() == [1.5, -2.0, 0.0]


class _Evil:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (self.path,)


def _archive(obj: Any, storages: dict[str, bytes], **options: Any) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", options.get("compression", zipfile.ZIP_STORED)) as z:
        z.writestr("archive/data.pkl", obj if isinstance(obj, bytes) else pickle.dumps(obj, 2))
        for key, data in storages.items():
            z.writestr(f"archive/data/{key}", data)
    return buffer.getvalue()


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_nothing_in_a_checkpoint_is_executed(tmp_path: Path, compression: int) -> None:
    made = tmp_path / "made"
    for obj in (_Evil(str(made)), {"a": [_Evil(str(made))]}, b"cos\nsystem\n(S'touch %s'\ntR." % str(made).encode()):
        data = _archive(obj, {}, compression=compression)
        with pytest.raises((pickle.UnpicklingError, RuntimeError), match=r"runs no code|compressed"):
            loaded(data)
    objects = np.empty(1, object)
    objects[0] = _Evil(str(made))
    buffer = io.BytesIO()
    np.savez(buffer, a=objects)
    with pytest.raises(RuntimeError, match="cannot be read"):
        loaded(buffer.getvalue())
    assert not made.exists()


def test_npz(tmp_path: Path) -> None:
    tensors = {"w": wengert.arange(6.0).reshape(2, 3), "n": wengert.tensor(3), "z": wengert.tensor([1 + 2j])}
    for compressed in (False, True):
        path = tmp_path / "file.npz"
        wengert.serialization.save_npz(path, tensors, compressed=compressed)
        assert same(wengert.serialization.load_npz(path), tensors)
        assert same(wengert.load(path), tensors)
        with np.load(path) as archive:
            assert archive["w"].tolist() == [[0, 1, 2], [3, 4, 5]]
    np.save(tmp_path / "one.npy", np.arange(3))
    assert wengert.load(tmp_path / "one.npy").tolist() == [0, 1, 2]
    with pytest.raises(RuntimeError, match="cannot be read"):
        wengert.serialization.load_npz(io.BytesIO(b"PK\x03\x04 nothing"))
    with pytest.raises(FileNotFoundError):
        wengert.load(tmp_path / "nothing")


@pytest.mark.parametrize("compressed", [False, True])
def test_mutations_of_npz(compressed: bool) -> None:
    tensors = {"w": wengert.arange(12.0).reshape(3, 4), "n": wengert.tensor([1, 2, 3])}
    buffer = io.BytesIO()
    wengert.serialization.save_npz(buffer, tensors, compressed=compressed)
    data = buffer.getvalue()
    made = _mutations(data, 400)
    refused = sum([_refused_or_whole(m, tensors) for m in made])
    assert refused > 0.6 * len(made)
    assert all([_refused_or_whole(data[:n], tensors) for n in range(0, len(data), 7)])


# --- PyTorch's files ---


def _checkpoint(torch: Any, obj: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(obj, buffer)
    return buffer.getvalue()


@pytest.mark.conformance
def test_checkpoints_of_pytorch(torch: Any) -> None:
    base = torch.arange(12.0)
    net = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.ones(4, 3)).sum().backward()
    optimizer.step()
    obj = {
        "net": net.state_dict(),
        "optimizer": optimizer.state_dict(),
        "parameter": net[0].weight,
        "view": base.reshape(3, 4).t()[1:],
        "base": base,
        "expanded": torch.ones(1).expand(5),
        "scalar": torch.tensor(2.5),
        "empty": torch.zeros(0, 3),
        "bf16": torch.tensor([1.5, -3.0], dtype=torch.bfloat16),
        "u16": torch.tensor([1, 2], dtype=torch.uint16),
        "c": torch.tensor([1 + 2j], dtype=torch.complex128),
        "flags": torch.tensor([True, False]),
        "more": (torch.Size([1, 2]), torch.float32, {1, 2}, "text", None, 2.5),
    }
    got = loaded(_checkpoint(torch, obj))
    flat: list[tuple[Any, Any]] = []

    def walk(a: Any, b: Any) -> None:
        if isinstance(b, torch.Tensor):
            flat.append((a, b))
        elif isinstance(b, dict):
            assert list(a) == list(b)
            for k in b:
                walk(a[k], b[k])
        elif isinstance(b, (list, tuple)):
            assert len(a) == len(b)
            for x, y in zip(a, b, strict=True):
                walk(x, y)

    walk(got, obj)
    for a, b in flat:
        want = b.detach().float() if b.dtype == torch.bfloat16 else b.detach()
        assert np.array_equal(a.detach().numpy(), want.numpy())
        assert a.requires_grad == b.requires_grad
        assert a.shape == tuple(b.shape)
    assert isinstance(got["parameter"], wengert.nn.Parameter)
    assert got["more"][0] == (1, 2)
    assert got["more"][3:] == ("text", None, 2.5)
    got["base"][0] = 7.0  # shared memory stays shared
    assert got["view"][0, 0] == 1 or got["base"][0] == 7
    own = wengert.nn.Sequential(wengert.nn.Linear(3, 2), wengert.nn.BatchNorm1d(2))
    own.load_state_dict(got["net"])
    wengert.optim.Adam(own.parameters()).load_state_dict(got["optimizer"])


@pytest.mark.conformance
def test_checkpoints_with_other_objects_are_refused(torch: Any) -> None:
    with pytest.raises(pickle.UnpicklingError, match=r"torch.nn.modules.linear.Linear.*state_dict"):
        loaded(_checkpoint(torch, torch.nn.Linear(1, 1)))
    buffer = io.BytesIO()
    torch.save({"a": torch.ones(1)}, buffer, _use_new_zipfile_serialization=False)
    with pytest.raises(RuntimeError, match=r"before version 1\.6"):
        loaded(buffer.getvalue())


HOSTILE_PICKLES = {
    "a call of os.system": pickle.dumps(type("Evil", (), {"__reduce__": lambda self: (os.system, ("true",))})()),
    "a name with dots": b"\x80\x04\x8c\x0bcollections\x8c\x12OrderedDict.popitem\x93.",
    "getattr": b"\x80\x02cbuiltins\ngetattr\n.",
    "an extension": b"\x80\x02\x82\x01.",
    "a string of 2^63 bytes": b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7f.",
    "bytes of 2^42": b"\x80\x05\x96\x00\x00\x00\x00\x00\x04\x00\x00.",
    "a number of 2^31 bytes": b"\x80\x02\x8b\xff\xff\xff\x7f.",
    "marks without end": b"\x80\x02" + b"(" * 1000 + b".",
    "nothing": b"",
}


@pytest.mark.parametrize("name", HOSTILE_PICKLES)
def test_hostile_pickles_are_refused(name: str) -> None:
    with pytest.raises((RuntimeError, pickle.UnpicklingError), match=r"\w{3}"):
        loaded(_archive(HOSTILE_PICKLES[name], {}))


def test_a_short_pickle_takes_little_memory() -> None:
    """An index of 2^24 into the memo: as many slots would be a quarter of a gigabyte."""
    archive = _archive(b"\x80\x02]r\x00\x00\x00\x01.", {})
    loaded(archive)
    tracemalloc.start()
    try:
        loaded(archive)
        assert tracemalloc.get_traced_memory()[1] < 5e6
    finally:
        tracemalloc.stop()


@pytest.mark.conformance
def test_mutations_of_checkpoints(torch: Any, tmp_path: Path) -> None:
    data = _checkpoint(torch, {"w": torch.arange(12.0).reshape(3, 4), "n": [1, "text"]})
    refused = sum([_refused_or_whole(m, None) for m in _mutations(data, 300)])
    assert refused > 100


@pytest.mark.conformance
def test_tensors_that_reach_outside_their_memory_are_refused(torch: Any) -> None:
    data = _checkpoint(torch, {"w": torch.arange(4.0)})
    with zipfile.ZipFile(io.BytesIO(data)) as z:
        pickled = z.read(next(n for n in z.namelist() if n.endswith("data.pkl")))
    memory = np.arange(4, dtype="<f4").tobytes()
    assert loaded(_archive(pickled, {"0": memory}))["w"].tolist() == [0, 1, 2, 3]
    with pytest.raises(RuntimeError, match="has 12 bytes"):
        loaded(_archive(pickled, {"0": memory[:12]}))
    size = b"K\x04\x85"  # the tuple (4,)
    assert pickled.count(size) == 1
    for wrong in (b"K\x05\x85", b"J\xff\xff\xff\xff\x85", b"J\xff\xff\xff\x7f\x85"):
        with pytest.raises(RuntimeError, match=r"reaches to element|a tensor of size"):
            loaded(_archive(pickled.replace(size, wrong), {"0": memory}))
    with pytest.raises(RuntimeError, match="damaged"):
        loaded(_archive(pickled, {}))
