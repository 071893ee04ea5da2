"""Ordinary programs compiled, beside PyTorch and ``jax.jit``: ``python -m benchmarks.programs``.

``--only NAME`` takes what has this in its name, ``--threads 1`` one number of threads, ``--quick`` few samples. The
programs stand in :mod:`benchmarks.program_cases`. Each runs in a process of its own for each number of threads; the
libraries take turns, and their results must agree.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from benchmarks import side_by_side
from benchmarks.jax_transforms import installed
from benchmarks.program_cases import CASES, Case, Library
from benchmarks.program_cases_more import MORE
from benchmarks.side_by_side import Step, jax_step, torch_scan, torch_step, wengert_step


def _library(torch: Any, scan: Callable[..., Any]) -> Library:
    """What PyTorch and wengert call things."""
    nn, func = torch.nn.functional, torch.func

    def layer_norm(x: Any, weight: Any, bias: Any) -> Any:
        return nn.layer_norm(x, (x.shape[-1],), weight, bias)

    def segment_sum(values: Any, indices: Any, count: int) -> Any:
        return torch.zeros(count, dtype=values.dtype).index_add(0, indices, values)

    def solve_lower(matrix: Any, columns: Any) -> Any:
        return torch.linalg.solve_triangular(matrix, columns, upper=False)

    return Library(
        m=torch,
        relu=torch.relu,
        gelu=nn.gelu,
        sigmoid=torch.sigmoid,
        softmax=lambda x: torch.softmax(x, -1),
        log_softmax=lambda x: torch.log_softmax(x, -1),
        logsumexp=torch.logsumexp,
        layer_norm=layer_norm,
        largest=torch.amax,
        sort=lambda x: torch.sort(x, -1)[0],
        conv2d=nn.conv2d,
        segment_sum=segment_sum,
        solve_lower=solve_lower,
        expm=torch.linalg.matrix_exp,
        scan=scan,
        vmap=torch.vmap,
        grad=func.grad,
        hessian=func.hessian,
        jacfwd=func.jacfwd,
        least=torch.amin,
        top=lambda x, k: torch.topk(x, k, -1),
        take=lambda x, i: torch.gather(x, -1, i),
        add_rows=lambda x, i, rows: x.index_add(0, i, rows),
        whole=lambda x: x.to(torch.int64),
        lgamma=torch.lgamma,
        singular_values=torch.linalg.svdvals,
    )


def _jax_library(jax: Any) -> Library:
    nn, np = jax.nn, jax.numpy

    def layer_norm(x: Any, weight: Any, bias: Any) -> Any:
        rest = x - np.mean(x, -1, keepdims=True)
        return rest * jax.lax.rsqrt(np.mean(rest * rest, -1, keepdims=True) + 1e-5) * weight + bias

    def segment_sum(values: Any, indices: Any, count: int) -> Any:
        return np.zeros(count, values.dtype).at[indices].add(values)

    def conv2d(x: Any, w: Any) -> Any:
        return jax.lax.conv_general_dilated(x, w, (1, 1), "VALID")

    return Library(
        m=np,
        relu=nn.relu,
        gelu=lambda x: nn.gelu(x, approximate=False),
        sigmoid=nn.sigmoid,
        softmax=nn.softmax,
        log_softmax=nn.log_softmax,
        logsumexp=nn.logsumexp,
        layer_norm=layer_norm,
        largest=np.max,
        sort=np.sort,
        conv2d=conv2d,
        segment_sum=segment_sum,
        solve_lower=lambda a, b: jax.scipy.linalg.solve_triangular(a, b, lower=True),
        expm=jax.scipy.linalg.expm,
        scan=jax.lax.scan,
        vmap=jax.vmap,
        grad=jax.grad,
        hessian=jax.hessian,
        jacfwd=jax.jacfwd,
        least=np.min,
        top=jax.lax.top_k,
        take=lambda x, i: np.take_along_axis(x, i, -1),
        add_rows=lambda x, i, rows: x.at[i].add(rows),
        whole=lambda x: x.astype(int),
        lgamma=jax.scipy.special.gammaln,
        singular_values=lambda x: np.linalg.svd(x, compute_uv=False),
    )


def _jax_step(case: Case) -> Step:
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)
    return jax_step(case.problem(_jax_library(jax)))


def _steps(case: Case) -> dict[str, Step]:
    wengert, torch = importlib.import_module("wengert"), importlib.import_module("torch")
    steps = {
        "wengert": wengert_step(case.problem(_library(wengert, wengert.func.scan))),
        "torch": torch_step(case.problem(_library(torch, torch_scan))),
    }
    if installed():
        steps["jax.jit"] = _jax_step(case)
    return steps


def main() -> None:
    asked = side_by_side.parser_of("benchmarks.programs").parse_args()
    side_by_side.run("benchmarks.programs", [*CASES, *MORE], asked, _steps)


if __name__ == "__main__":
    main()
