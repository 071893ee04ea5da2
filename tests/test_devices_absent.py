"""What programs ask about devices, other processes and PyTorch's older compiler: its answers without them."""

from __future__ import annotations

import pytest

import wengert

torch = pytest.importorskip("torch")

QUESTIONS = [
    "accelerator.is_available()",
    "accelerator.device_count()",
    "accelerator.current_accelerator()",
    "cpu.is_available()",
    "cpu.is_initialized()",
    "cpu.device_count()",
    "cpu.current_device()",
    "cpu.synchronize()",
    "mps.is_available()",
    "mps.device_count()",
    "mps.manual_seed(3)",
    "xpu.is_available()",
    "xpu.device_count()",
    "xpu.is_initialized()",
    "xpu.empty_cache()",
    "xpu.manual_seed(3)",
    "xpu.manual_seed_all(3)",
    "cuda.is_available()",
    "cuda.get_rng_state_all()",
    "cuda.set_rng_state_all([])",
    "cuda.set_stream(None)",
    "cuda.max_memory_reserved()",
    "cuda.stream(None).__enter__()",
    "cuda.device(-1).__enter__()",
    "backends.cudnn.is_available()",
    "distributed.is_initialized()",
    "distributed.is_torchelastic_launched()",
    "jit.is_scripting()",
    "jit.is_tracing()",
]
REFUSED = [
    "accelerator.current_device_index()",
    "accelerator.set_device_index(0)",
    "accelerator.current_stream()",
    "accelerator.synchronize()",
    "accelerator.empty_cache()",
    "accelerator.memory_allocated()",
    "accelerator.max_memory_allocated()",
    "mps.synchronize()",
    "mps.empty_cache()",
    "mps.current_allocated_memory()",
    "cuda.Stream()",
    "cuda.Event(enable_timing=True)",
    "cuda.device(0).__enter__()",
    "cuda.default_stream()",
    "cuda.get_rng_state()",
    "cuda.initial_seed()",
    "cuda.ipc_collect()",
    "cuda.mem_get_info()",
    "cuda.memory_summary()",
    "cuda.set_per_process_memory_fraction(0.5)",
]


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_answer_is_that_of_pytorch(question):
    ours, theirs = eval(f"wengert.{question}"), eval(f"torch.{question}")
    assert (ours, type(ours)) == (theirs, type(theirs))


@pytest.mark.parametrize("call", REFUSED)
def test_what_needs_the_device_raises_as_in_pytorch(call):
    with pytest.raises(RuntimeError, match="computes on the CPU only"):
        eval(f"wengert.{call}")
    with pytest.raises((RuntimeError, AssertionError, KeyError)):
        eval(f"torch.{call}")


def test_functions_pass_through_the_older_compiler():
    def function(x):
        return x + 1

    for decorate in (wengert.jit.script, wengert.jit.export, wengert.jit.unused, wengert.jit.ignore):
        assert decorate(function) is function
    assert wengert.jit.ignore(drop=True)(function) is function


def test_tensors_are_dense_and_cannot_be_pinned():
    for library in (wengert, torch):
        x = library.ones(2)
        assert x.to_dense().tolist() == [1, 1]
        assert x.to_dense(library.float64).dtype is library.float64
        with pytest.raises(RuntimeError, match="Cannot access accelerator"):
            x.pin_memory()


def test_full_memory_can_be_waited_for():
    assert issubclass(wengert.OutOfMemoryError, RuntimeError)
    assert wengert.cuda.OutOfMemoryError is wengert.OutOfMemoryError
