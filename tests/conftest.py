"""What holds for every test: leaks are failures, and where PyTorch is promised, it must be there."""

import functools
import importlib.metadata
import linecache
import os
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

import wengert
from wengert.engine.state import STATE, ThreadState
from wengert.interop.torch import TorchNamespace, installed

# Programs that run in processes of their own, not modules of tests.
collect_ignore_glob = ["array_api/*", "conformance/*", "faults/*", "healthy/*"]

# The version that the comparison is made with; the extra [conformance] names it too.
TORCH = "2.13.0"


def _torch_is_required() -> bool:
    return os.environ.get("WENGERT_REQUIRE_TORCH", "") not in ("", "0")


def pytest_sessionstart() -> None:
    """With WENGERT_REQUIRE_TORCH=1, refuse to start without the PyTorch that the comparison is made with."""
    if not _torch_is_required():
        return
    try:
        found = importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        pytest.exit(
            f"WENGERT_REQUIRE_TORCH is set, and torch is not installed; this needs torch=={TORCH}", returncode=4
        )
    if found.split("+")[0] != TORCH:
        pytest.exit(f"WENGERT_REQUIRE_TORCH is set, and torch is {found}; this needs torch=={TORCH}", returncode=4)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as `conformance` every test that has PyTorch: by a fixture, in its module, or in a helper."""
    for item in items:
        if "torch" in getattr(item, "fixturenames", ()) or _has_torch(getattr(item, "module", None)):
            item.add_marker(pytest.mark.conformance)


@functools.cache
def _has_torch(module: ModuleType | None) -> bool:
    names = vars(module).values() if module is not None else ()
    helpers = {
        value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None) for value in names
    }
    return any(_is_torch(getattr(helper, "torch", None)) for helper in [module, *map(sys.modules.get, helpers)])


def _is_torch(value: object) -> bool:
    return isinstance(value, ModuleType) and value.__name__ == "torch" and not isinstance(value, TorchNamespace)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    """Where PyTorch is required, a module that is skipped for want of it is an error."""
    report: pytest.CollectReport = yield
    if _torch_is_required() and report.outcome == "skipped" and "torch" in str(report.longrepr):
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid} skipped itself, while WENGERT_REQUIRE_TORCH is set: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """A skipped comparison is a failure where PyTorch is required, and everywhere if nobody could know it for one."""
    report: pytest.TestReport = yield
    if report.outcome != "skipped" or hasattr(report, "wasxfail"):
        return report
    is_marked = item.get_closest_marker("conformance") is not None
    wants_torch = "could not import 'torch'" in str(report.longrepr)
    if _torch_is_required() and (is_marked or wants_torch):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} skipped itself, while WENGERT_REQUIRE_TORCH is set: {report.longrepr}"
    elif wants_torch and not is_marked:
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} needs PyTorch and does not say so: mark it with pytest.mark.conformance"
    return report


@pytest.fixture
def torch() -> ModuleType:
    """PyTorch, for a comparison."""
    return pytest.importorskip("torch")  # type: ignore[no-any-return]


@pytest.fixture
def clean_linecache() -> Iterator[None]:
    """Forget afterwards the made-up files that a test entered into the standard library's table of source lines."""
    before = dict(linecache.cache)
    yield
    linecache.cache.clear()
    linecache.cache.update(before)


@pytest.fixture(autouse=True)
def _no_leaks() -> Iterator[None]:
    """Fail a test that leaves a global switch other than it found it."""
    yield
    left = {
        "grad mode": wengert.is_grad_enabled() is True,
        "inference mode": wengert.is_inference_mode_enabled() is False,
        "default dtype": wengert.get_default_dtype() is wengert.float32,
        "the answer to `import torch`": installed() is False,
    }
    left |= {f"the thread's {name}": now == getattr(ThreadState, name) for name, now in vars(STATE).items()}
    changed = [what for what, as_it_was in left.items() if not as_it_was]
    assert not changed, f"the test changed {', '.join(changed)} and did not set it back"


@pytest.fixture(scope="session", autouse=True)
def _own_kernel_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Compiled programs of the tests are kept apart from the user's, and gone afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WENGERT_CACHE_DIR", str(tmp_path_factory.mktemp("kernels")))
        yield
