"""Machine code on disk: private, whole, bounded, and cleared by the command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from command import wengert
from wengert.compile.runtime.cache import Cache, digest, folder


@pytest.fixture
def kept(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "kernels")


def only(cache: Cache) -> Path:
    ((place, _),) = cache.entries()
    return place


class TestEntries:
    def test_what_is_put_is_got(self, kept: Cache) -> None:
        assert kept.get("a") is None
        kept.put("a", b"code")
        kept.put("b", b"")
        assert (kept.get("a"), kept.get("b"), kept.get("c")) == (b"code", b"", None)
        assert kept.size()[0] == 2

    @pytest.mark.parametrize("damage", [b"", b"short", b"x" * 200])
    def test_a_damaged_entry_is_thrown_away(self, kept: Cache, damage: bytes) -> None:
        kept.put("a", b"code" * 20)
        only(kept).write_bytes(damage)
        assert kept.get("a") is None
        assert kept.size() == (0, 0)

    def test_each_changed_byte_is_noticed(self, kept: Cache) -> None:
        kept.put("a", b"some code")
        whole = only(kept).read_bytes()
        for i in range(len(whole)):
            kept.put("a", b"some code")
            only(kept).write_bytes(whole[:i] + bytes([whole[i] ^ 1]) + whole[i + 1 :])
            assert kept.get("a") is None, i

    @pytest.mark.skipif(os.name == "nt", reason="permissions of another kind")
    def test_the_folder_is_private(self, kept: Cache) -> None:
        kept.put("a", b"code")
        assert kept.path.stat().st_mode & 0o777 == 0o700
        kept.path.chmod(0o770)
        assert kept.get("a") is None
        kept.put("b", b"code")
        kept.path.chmod(0o700)
        assert kept.get("b") is None
        assert kept.get("a") == b"code"

    def test_a_folder_that_cannot_be_made_is_no_error(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("in the way")
        cache = Cache(tmp_path / "file" / "kernels")
        cache.put("a", b"code")
        assert cache.get("a") is None
        assert cache.size() == cache.clear() == (0, 0)

    def test_the_least_recently_used_go_first(self, tmp_path: Path) -> None:
        cache = Cache(tmp_path / "kernels", largest=5000)
        for i in range(4):
            cache.put(f"k{i}", bytes(1000))
            place = cache.path / f"k{i}.kernel"
            os.utime(place, (1000.0 + i, 1000.0 + i))
        assert cache.get("k0") is not None  # now the latest
        cache.put("k4", bytes(1000))
        assert cache.size()[1] <= 5000
        assert cache.get("k1") is None
        assert cache.get("k0") is not None
        assert cache.get("k4") is not None

    def test_a_writer_of_little_seldom_looks_through_the_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        looks = []
        monkeypatch.setattr(Cache, "_make_room", lambda self: looks.append(self))
        cache = Cache(tmp_path / "kernels", largest=64_000)
        for i in range(500):
            cache.put(f"k{i}", b"%10d" % i)
        assert 0 < len(looks) < 30  # 500 * 10 bytes of 64,000, in 64 looks: 5 are expected

    def test_nothing_of_interrupted_writers_stays(self, kept: Cache) -> None:
        kept.put("a", b"code")
        (kept.path / "writing-1").write_bytes(b"half")
        kept.clear()
        assert list(kept.path.iterdir()) == []

    def test_digests_tell_their_parts_apart(self) -> None:
        assert len({digest("ab", "c"), digest("a", "bc"), digest("abc"), digest("abc", "")}) == 4


def test_many_writers_and_readers_at_once(kept: Cache) -> None:
    script = """
import sys
from pathlib import Path
from wengert.compile.runtime.cache import Cache
cache = Cache(Path(sys.argv[1]), largest=40_000)
for i in range(150):
    key = f"k{i % 7}"
    cache.put(key, key.encode() * (1000 + i % 7))
    got = cache.get(f"k{(i + 3) % 7}")
    name = f"k{(i + 3) % 7}".encode()
    assert got is None or got == name * (1000 + (i + 3) % 7), len(got)
    if i % 50 == 49:
        cache.clear()
"""
    processes = [
        subprocess.Popen([sys.executable, "-c", script, str(kept.path)], stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for process in processes:
        _, errors = process.communicate(timeout=120)
        assert (process.returncode, errors) == (0, "")


class TestKernels:
    """What is compiled comes from the folder the second time, and is made again where that is damaged."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        pytest.importorskip("llvmlite")
        monkeypatch.setenv("WENGERT_CACHE_DIR", str(tmp_path / "own"))

    def test_the_second_time_nothing_is_emitted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from kernels import pointwise
        from wengert.compile.runtime import linking

        x = np.linspace(-1, 1, 50, dtype=np.float32)
        want = pointwise("tanh", "f4")(x)
        assert Cache(folder()).size()[0] >= 1

        def refuse(*args: Any, **options: Any) -> Any:
            raise AssertionError("compiled again")

        with monkeypatch.context() as patch:
            patch.setattr(linking, "_emitted", refuse)
            np.testing.assert_array_equal(pointwise("tanh", "f4")(x), want)
            with pytest.raises(AssertionError, match="compiled again"):
                pointwise("tanh", "f8")

    def test_a_change_of_the_emitter_counts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from kernels import pointwise
        from wengert.compile.runtime import linking

        pointwise("tanh", "f4")
        count = Cache(folder()).size()[0]
        monkeypatch.setattr(linking, "source_version", lambda: "another")
        pointwise("tanh", "f4")
        assert Cache(folder()).size()[0] == count + 1

    def test_damaged_code_is_made_again(self) -> None:
        from kernels import pointwise

        x = np.linspace(-1, 1, 50, dtype=np.float32)
        want = pointwise("sin", "f4")(x)
        for place, _ in Cache(folder()).entries():
            data = bytearray(place.read_bytes())
            data[len(data) // 2] ^= 255
            place.write_bytes(data)
        np.testing.assert_array_equal(pointwise("sin", "f4")(x), want)


class TestCommand:
    def test_it_says_what_is_there_and_throws_it_away(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("WENGERT_CACHE_DIR", str(tmp_path / "own"))
        cache = Cache(tmp_path / "own")
        done = wengert("cache")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == f"{cache.path}: 0 compiled programs, 0.0 KiB of at most 256.0 MiB\n"
        cache.put("a", bytes(3000))
        cache.put("b", bytes(3000))
        assert "2 compiled programs, 6.0 KiB of" in wengert("cache").stdout
        done = wengert("cache", "clear")
        assert done.stdout == f"removed 2 compiled programs, 6.0 KiB, from {cache.path}\n"
        assert cache.size() == (0, 0)
