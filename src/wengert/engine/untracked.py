"""Why a tensor has no gradient path, found from the user's variables and source when someone asks."""

from __future__ import annotations

from types import FrameType
from typing import Any

from wengert import _cuts
from wengert._names import attribute_of, variables_of
from wengert._source import Location, locate, user_frame, user_frames
from wengert.engine.base import TensorBase

_DEPTH = 8


def why_untracked(t: TensorBase) -> str | None:
    """One or two sentences that say where the path from tracked tensors to ``t`` was cut; None if that cannot be told."""
    for frame in user_frames(user_frame()):
        variables = variables_of(frame)
        name = next((name for name, value in variables.items() if value is t), None)
        here = locate(frame.f_code, frame.f_lasti)
        if here is None:
            return None
        if name is not None:
            return _Search(frame, here, variables).explain(name)
        step = _cuts.expression(here.source(), here.lineno, here.expression() or "")
        if step is not None:
            return _Search(frame, here, variables).explain_step("this tensor", step)
    return None


class _Search:
    """A walk backwards through the assignments in one frame."""

    def __init__(self, frame: FrameType, here: Location, variables: dict[str, Any]) -> None:
        self.filename = frame.f_code.co_filename
        self.here = here
        self.source = here.source()
        self.variables = variables
        self.seen: set[str] = set()

    def explain(self, name: str) -> str | None:
        """Where the path to a variable was cut."""
        step = _cuts.assignment(self.source, name, self.here.lineno)
        return None if step is None else self.explain_step(f"`{name}`", step)

    def explain_step(self, subject: str, step: _cuts.Step) -> str | None:
        """Where the path to the value that ``step`` made was cut."""
        found = self._trace(subject, step, 0)
        if found is not None:
            return found
        leaves = [f"`{name}`" for name in self._tensors(step)]
        if leaves and step.lineno:
            verb, none = ("requires", "not one of") if len(leaves) == 1 else ("requires", "none of")
            del none
            listed = ", ".join(leaves)
            said = f"{listed} does not require grad" if len(leaves) == 1 else f"none of {listed} {verb} grad"
            return f"It was computed from {listed} ({self._at(step)}), and {said}."
        return None

    def _trace(self, subject: str, step: _cuts.Step, depth: int) -> str | None:
        tensors = self._tensors(step)
        tracked = {name for name, value in tensors.items() if value._rg}
        for cut in step.cuts:
            behind = sorted(cut.names & tracked)
            if behind:
                return f"{subject} was cut from `{behind[0]}` by {cut.how} at {self._at(step)}."
        if tracked:
            name = sorted(tracked)[0]
            if step.switched_off is not None:
                return f"{subject} was computed from `{name}` under {step.switched_off}, at {self._at(step)}."
            return (
                f"{subject} was computed from `{name}`, which requires grad now, at {self._at(step)}: the path was cut inside "
                f"of what is called there, or `{name}` did not require grad at that time."
            )
        if depth == _DEPTH:
            return None
        for name in step.names:
            value = tensors.get(name)
            made = None if name in self.seen else _cuts.assignment(self.source, name, step.lineno)
            self.seen.add(name)
            if made is None or (value is None and name in self.variables and not self._is_number(name)):
                continue
            found = self._trace(f"`{name}`", made, depth + 1)
            if found is not None:
                return f"{subject} was computed from `{name}` ({self._at(step)}). {found}"
        return None

    def _tensors(self, step: _cuts.Step) -> dict[str, TensorBase]:
        values = {name: self._value(name) for name in step.names}
        return {name: value for name, value in values.items() if isinstance(value, TensorBase)}

    def _value(self, name: str) -> Any:
        first, _, attribute = name.partition(".")
        value = self.variables.get(first)
        return attribute_of(value, attribute) if attribute and value is not None else value

    def _is_number(self, name: str) -> bool:
        return (
            isinstance(self._value(name), (bool, int, float, complex)) or type(self._value(name)).__module__ == "numpy"
        )

    def _at(self, step: _cuts.Step) -> str:
        place = str(Location(self.filename, step.lineno, step.lineno, None, None, ""))
        return f"{place}, `{step.text}`" if len(step.text) <= 60 else place
