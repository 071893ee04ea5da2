"""Random programs as source text: lines that run on tensors of many dtypes, layouts and sizes, also in place.

A line is kept if it runs. So templates need not say what fits, and a program that fails can be read, and cut down by
leaving out lines.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

DTYPES = ("float64",) * 5 + ("float32",) * 5 + ("int64", "int64", "int32", "uint8", "int8", "bool", "complex128")
SIZES = (0, 1, 1, 2, 3, 3, 4, 7, 15, 16, 17, 63, 64, 65, 257)
NUMBERS = ("2", "-1", "0.5", "-0.0", "0", "True", "1.5", "7")
SPECIAL = (0.0, -0.0, 1.0, -2.0, np.inf, -np.inf, np.nan, 1e-310)
LAYOUTS = ("plain", "plain", "transposed", "strided", "inside")

PURE = """
torch.{unary}({a}) | {a}.{unary}() | torch.{binary}({a}, {b}) | torch.{binary}({a}, {b}) | {a} {operator} {b}
{a} {operator} {number} | {number} {operator} {a} | torch.where({a} > {b}, {a}, {c})
torch.where({a} > 0, {number}, {b}) | {a}.masked_fill({b} > 0, {number}) | torch.clamp({a}, min={b})
torch.clamp({a}, -0.5, {number}) | {a}.to(torch.{dtype}) | {a}.type_as({b})
torch.{reduce}({a}, dim={dim}, keepdim={flag}) | torch.{reduce}({a}) | {a}.sum(dtype=torch.{dtype})
torch.argmax({a}, dim={dim}) | {a}.max({dim}).values | {a}.min({dim}).indices | torch.cumsum({a}, {dim})
torch.cumprod({a}, {dim}) | torch.cummax({a}, {dim}).indices | torch.logsumexp({a}, {dim}) | torch.softmax({a}, {dim})
torch.log_softmax({a}, {dim}) | torch.std({a}, {dim}, correction={small})
torch.sort({a}, dim={dim}, stable=True).values | torch.topk({a}, {small}, dim={dim}).values | {a}.reshape(-1)
{a}.unsqueeze({dim}) | {a}.squeeze() | {a}.mT | {a}.expand(2, *{a}.shape) | {a}.flip({dim})
torch.roll({a}, {small}, {dim}) | {a}.diagonal({small}) | {a}.tril({small}) | {a}.chunk(2, {dim})[-1]
{a}.unfold({dim}, 2, {small}) | {a}.unbind({dim})[0] | {a}[{small}] | {a}[..., ::2] | {a}[1:, None]
torch.nn.functional.pad({a}, ({small}, -1), value=1.5) | torch.nn.functional.pad({a}, (0, {small}), mode="replicate")
torch.cat([{a}, {b}], {dim}) | torch.cat([{a}], {dim}) | torch.stack([{a}, {a}], {dim}) | torch.block_diag({a}, {b})
torch.cartesian_prod({a}, {b}) | {a} @ {b} | {a} @ {b}.mT | torch.outer({a}, {b})
torch.einsum("ij,kj->ik", {a}, {b}) | {a}[{index} % {a}.shape[0]]
torch.gather({a}, {dim}, {index} % {a}.shape[{dim}]) | torch.take_along_dim({a}, {index} % 1, {dim})
torch.scatter_add({a}, 0, {index} % {a}.shape[0], {b})
torch.index_put({a}, ({index} % {a}.shape[0],), {b}, accumulate=True)
torch.scatter_reduce({a}, 0, {index} % {a}.shape[0], {b}, "amax")
torch.index_add({a}, 0, {index}.reshape(-1) % 1, {b}) | torch.full_like({a}, 2) | torch.ones(3, dtype=torch.{dtype})
torch.arange({a}.shape[0]) | torch.complex({a}, {b}) | {a}.real | torch.addcmul({a}, {b}, {c})
torch.lerp({a}, {b}, 0.25) | torch.nn.functional.layer_norm({a}, {a}.shape[-1:])
torch.nn.functional.scaled_dot_product_attention({a}, {a}, {a}, is_causal=True) | {a}.detach() | {a}.clone()
{a}.T.sin()
torch.nn.functional.conv1d({a}, torch.ones(2, {a}.shape[-2], 2, dtype={a}.dtype), padding={small}, stride=2)
torch.nn.functional.max_pool1d({a}, 2, stride={small}) | torch.func.vmap(lambda q: q.sin().sum() + q)({a})
"""
WRITING = """
{a}.{inplace}_({b}) | {a}.{inplace}_({b}) | {a}.mul_({number}) | {a}.relu_() | {a}.zero_()
{a}.masked_fill_({b} > 0, {number}) | {a}.clamp_(0, 1) | {a}.unfold({dim}, 1, 1).mul_(2) | {a}.T.add_(1)
{a}.index_add_(0, torch.tensor([0, 0]), {b}) | torch.add({a}, {b}, out={c}) | torch.mul({a}, 2, out={a}) | {a}.t_()
{a}.squeeze_() | torch.rand_like({a}.mT) | {a}.copy_(torch.randn({a}.shape)) | {a}[0] = {b} | {a}[::2] += {number}
{a}[..., -1] = {number} | {a}[1:] = {b}[0] | {a}[{b} > 0] = {number} | {a}[:, 1:] *= 2
"""
WORDS = {
    "unary": "sin cos tanh sigmoid neg abs sign sgn floor round square logical_not isnan relu erf log1p exp2 signbit",
    "binary": "add sub mul maximum minimum fmax atan2 hypot copysign eq lt logical_and xlogy fmod logaddexp",
    "operator": "+ - * + - * / // % < == & |",
    "reduce": "sum mean prod amax amin any all",
    "inplace": "add sub mul copy fmod atan2",
    "dtype": "float32 float64 int64 int32 int8 uint8 bool complex64",
    "dim": "0 -1 1 0 -1",
    "small": "0 1 2 1",
    "flag": "True False",
}


def lines_of(text: str) -> list[str]:
    """The templates of a table."""
    return [line.strip() for row in text.strip().splitlines() for line in row.split(" | ")]


@dataclass
class Source:
    """A program, and what it is run on."""

    text: str
    arrays: list[Any]
    layouts: list[str]
    tracked: list[bool]
    style: str

    def function(self, torch: Any) -> Callable[..., Any]:
        """The program as a function of its arguments."""
        space = {"torch": torch}
        exec(self.text, space)  # made of the templates above
        return space["f"]  # type: ignore[return-value]

    def tensors(self, torch: Any, arrays: Any = None) -> list[Any]:
        """The arguments as new tensors."""
        given = zip(self.arrays if arrays is None else arrays, self.layouts, self.tracked, strict=True)
        return [_laid_out(torch, a, layout).requires_grad_(tracked) for a, layout, tracked in given]

    def others(self, seed: int, *, sizes: bool) -> list[Any]:
        """Other values, of other sizes if wanted: what was one length is one again."""
        rng = random.Random(seed)
        lengths = {n: rng.choice(SIZES) if sizes else n for a in self.arrays for n in a.shape}
        shapes = [tuple([lengths[n] for n in a.shape]) for a in self.arrays]
        return [values(rng, shape, a.dtype.name, self.style) for a, shape in zip(self.arrays, shapes, strict=True)]


def values(rng: random.Random, shape: tuple[int, ...], dtype: str, style: str) -> Any:
    """Numbers: halves with many ties, special ones among them, or any."""
    r = np.random.default_rng(rng.getrandbits(32))
    x = r.standard_normal(shape) * 2
    if style == "special":
        x = np.where(r.random(shape) < 0.3, np.array(SPECIAL)[r.integers(0, len(SPECIAL), shape)], x)
    if style != "any":
        x = np.round(x * 2) / 2
    if dtype == "complex128":
        return np.asarray(x + 1j * np.round(r.standard_normal(shape)))
    with np.errstate(all="ignore"):
        return np.asarray(np.nan_to_num(x, posinf=3, neginf=-3) if dtype[0] in "iub" else x).astype(dtype)


def _laid_out(torch: Any, a: Any, layout: str) -> Any:
    if layout == "transposed" and a.ndim > 1:
        return torch.from_numpy(a.T.copy(order="C")).permute(*range(a.ndim)[::-1])
    if layout == "strided" and a.ndim:
        wide = np.zeros((*a.shape[:-1], 2 * a.shape[-1]), a.dtype)
        wide[..., ::2] = a
        return torch.from_numpy(wide)[..., ::2]
    if layout == "inside" and a.ndim:
        wide = np.zeros((a.shape[0] + 2, *a.shape[1:]), a.dtype)
        wide[1:-1] = a
        return torch.from_numpy(wide)[1:-1]
    return torch.from_numpy(a.copy())


def draw(seed: int, torch: Any, *, writes: bool) -> Source | None:
    """The program of a number: lines that run on the arguments drawn with it."""
    rng = random.Random(seed)
    templates = lines_of(PURE) + (lines_of(WRITING) * 2 if writes else [])
    style = rng.choice(["any", "halves", "halves", "special"])
    sizes = [rng.choice(SIZES) for _ in range(2)]
    shapes = [tuple([rng.choice([*sizes, 1]) for _ in range(rng.choice([0, 1, 2, 2, 3]))]) for _ in range(3)]
    shapes[1] = shapes[0] if rng.random() < 0.5 else shapes[1]
    arrays = [values(rng, shape, rng.choice(DTYPES), style) for shape in shapes]
    tracked = [a.dtype.kind in "fc" and rng.random() < 0.6 for a in arrays]
    source = Source("", arrays, [rng.choice(LAYOUTS) for _ in arrays], tracked, style)
    known = dict(zip("xyz", source.tensors(torch), strict=True))
    body: list[str] = []
    for _ in range(60):
        if len(body) == 8:
            break
        line, space = _filled(rng, rng.choice(templates), known), {**known, "torch": torch}
        if ("rand" in line or "normal_" in line) and set(source.layouts) != {"plain"}:
            continue  # which number an element gets depends on where it lies, which a trace does not look at
        name = f"v{len(body)}"
        try:
            exec(line if "= " in line and "(" not in line.split("=")[0] else f"{name} = {line}", space)
        except (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError, AttributeError, KeyError):
            continue
        made = space.get(name)
        if name in space and not (isinstance(made, torch.Tensor) and made.numel() <= 50_000):
            continue
        body.append(f"{name} = {line}" if name in space else line)
        known |= {name: made} if name in space else {}
    results = [name for name in known if name[0] == "v"][-3:]
    if not results:
        return None
    source.text = (
        "def f(x, y, z):\n" + "".join([f"    {line}\n" for line in body]) + f"    return {', '.join(results)},\n"
    )
    return source


def _filled(rng: random.Random, template: str, known: dict[str, Any]) -> str:
    names = list(known)
    recent = [*names, *names[-3:]]
    whole = [name for name in names if str(known[name].dtype) == "torch.int64"] or names
    words = {key: rng.choice(text.split()) for key, text in WORDS.items()}
    return template.format(
        a=rng.choice(recent), b=rng.choice(recent), c=rng.choice(recent), index=rng.choice(whole),
        number=rng.choice(NUMBERS), **words,
    )  # fmt: skip
