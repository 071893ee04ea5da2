"""How expressions are written in LaTeX."""

from __future__ import annotations

from typing import Final

from wengert.see.notation import Level, Writer, Written


class LatexWriter(Writer):
    """Writes expressions in LaTeX."""

    times = r" \cdot "
    spaced_times = r" \cdot "

    # The docstrings are the base class's.

    def parenthesised(self, text: str) -> str:
        return rf"\left({text}\right)"

    def name(self, text: str) -> str:
        return latex_name(text)

    def indexed(self, name: str, letters: str) -> str:
        return f"{{{name}}}_{{{letters}}}" if letters else name

    def function(self, name: str, arguments: str) -> str:
        known = _LATEX_FUNCTIONS.get(name)
        head = known if known is not None else rf"\operatorname{{{_escaped(name)}}}"
        return rf"{head}\left({arguments}\right)"

    def quotient(self, above: list[Written], below: list[Written]) -> Written:
        top = self._joined(above)[0] if above else "1"
        return rf"\frac{{{top}}}{{{self._joined(below)[0]}}}", Level.POWER

    def raised(self, base: Written, exponent: str) -> Written:
        bottom = base[0] if base[1] >= Level.ATOM else self.parenthesised(base[0])
        return f"{{{bottom}}}^{{{exponent}}}", Level.POWER

    def root(self, text: str) -> Written:
        return rf"\sqrt{{{text}}}", Level.ATOM

    def bars(self, text: str) -> Written:
        return rf"\left|{text}\right|", Level.ATOM

    def indicator(self, condition: str) -> Written:
        return rf"\left[{condition}\right]", Level.ATOM

    def transposed(self, base: Written) -> Written:
        return self.raised(base, r"\top")

    def sign(self, sign: str) -> str:
        return _LATEX_SIGNS.get(sign, sign)

    def choice(self, condition: str, a: str, b: str) -> Written:
        return rf"\begin{{cases}}{a} & {condition}\\{b} & \text{{else}}\end{{cases}}", Level.ATOM

    def constant(self, text: str) -> str:
        mantissa, _, exponent = text.partition("e")
        if exponent.lstrip("+-").isdigit():
            return (rf"{mantissa} \cdot " if mantissa != "1" else "") + f"10^{{{int(exponent)}}}"
        return _LATEX_CONSTANTS.get(text, text)

    def derivative(self, above: str, below: str) -> Written:
        return rf"\frac{{\partial {above}}}{{\partial {below}}}", Level.ATOM

    def prose(self, text: str) -> str:
        return rf"\text{{{_escaped(text)}}}"

    def _between(self, before: str, after: str) -> str:
        if after[:1].isdigit() or (before[-1:].isdigit() and after.startswith("{")):
            return self.times
        return r" \, "


_LATEX_FUNCTIONS: Final = {
    **{name: f"\\{name}" for name in ("exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "max", "min")},
    "asin": r"\arcsin",
    "acos": r"\arccos",
    "atan": r"\arctan",
    "sigmoid": r"\sigma",
    "lgamma": r"\ln\Gamma",
    "digamma": r"\psi",
}
_LATEX_SIGNS: Final = {
    "@": "",
    ">=": r"\ge",
    "<=": r"\le",
    "!=": r"\ne",
    "and": r"\wedge",
    "or": r"\vee",
    "xor": r"\oplus",
    "not": r"\neg",
}
_GREEK: Final = frozenset(
    [
        "alpha",
        "beta",
        "gamma",
        "delta",
        "epsilon",
        "zeta",
        "eta",
        "theta",
        "iota",
        "kappa",
        "lambda",
        "mu",
        "nu",
        "xi",
        "pi",
        "rho",
        "sigma",
        "tau",
        "upsilon",
        "phi",
        "chi",
        "psi",
        "omega",
        "Gamma",
        "Delta",
        "Theta",
        "Lambda",
        "Xi",
        "Pi",
        "Sigma",
        "Phi",
        "Psi",
        "Omega",
    ]
)


def latex_name(text: str) -> str:
    r"""A variable's name in LaTeX: `w`, `\alpha`, `w_{1}`, `\mathit{y\_pred}`."""
    letters = text.rstrip("0123456789")
    digits = text[len(letters) :]
    if digits and letters and not letters.endswith("_"):
        return f"{latex_name(letters)}_{{{digits}}}"
    if text in _GREEK:
        return f"\\{text}"
    return text if len(text) == 1 else rf"\mathit{{{_escaped(text)}}}"


def _escaped(text: str) -> str:
    return text.replace("\\", "").replace("_", r"\_").replace("#", r"\#").replace("%", r"\%").replace("&", r"\&")


_LATEX_CONSTANTS: Final = {
    "pi": r"\pi",
    "ln(2)": r"\ln 2",
    "ln(10)": r"\ln 10",
    "sqrt(pi)": r"\sqrt{\pi}",
    "sqrt(2/pi)": r"\sqrt{2/\pi}",
    "sqrt(2 pi)": r"\sqrt{2\pi}",
}

__all__ = ["LatexWriter", "latex_name"]
