"""Why a tensor has no gradient path, found from the user's variables and source when someone asks."""

from __future__ import annotations

from typing import Any

from wengert import _cuts
from wengert._names import attribute_of, variables_of
from wengert._source import Location, locate, user_frame, user_frames
from wengert.engine.base import TensorBase

_DEPTH = 8


def why_untracked(t: TensorBase) -> str | None:
    """One or two sentences on where the path from tracked tensors to ``t`` was cut; None if that cannot be told."""
    for depth, frame in enumerate(user_frames(user_frame())):
        here = locate(frame.f_code, frame.f_lasti)
        if here is None:
            continue
        variables = variables_of(frame)
        search = _Search(frame.f_code.co_filename, here, variables)
        names = [name for name, value in variables.items() if value is t]
        found = search.explain(names[0]) if names else None
        if found is None and not names and depth == 0:
            step = _cuts.expression(here.source(), here.lineno, here.expression() or "")
            found = search.explain_step("This tensor", step) if step is not None else None
        if found is not None:
            return found
    return None


class _Search:
    """A walk backwards through the assignments in one frame."""

    def __init__(self, filename: str, here: Location, variables: dict[str, Any]) -> None:
        self.filename = filename
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
        names = [f"`{name}`" for name in self._tensors(step)]
        if not names:
            return None
        listed = ", ".join(names)
        untracked = f"{listed} does not require grad" if len(names) == 1 else "none of these requires grad"
        return f"It was computed from {listed} ({self._at(step)}), and {untracked}."

    def _trace(self, subject: str, step: _cuts.Step, depth: int) -> str | None:
        tensors = self._tensors(step)
        tracked = {name for name, value in tensors.items() if value._rg}
        for cut in step.cuts:
            behind = cut.names & tracked
            if behind:
                return f"{subject} was cut from `{min(behind)}` by {cut.how} at {self._at(step)}."
        if tracked:
            name = min(tracked)
            if step.switched_off is not None:
                return f"{subject} was computed from `{name}` under {step.switched_off}, at {self._at(step)}."
            return (
                f"{subject} was computed from `{name}`, which requires grad now, at {self._at(step)}: the path was cut "
                f"inside of what is called there, or `{name}` did not require grad at that time."
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
