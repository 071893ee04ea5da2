"""Why a tensor has no gradient path: from what was noted of it, and from the user's variables and source."""

from __future__ import annotations

from collections.abc import Iterator
from types import CodeType, FrameType, ModuleType
from typing import Any, NamedTuple

from wengert import _cuts
from wengert._names import attribute_of, code_called_by, names_in_frames, variables_of
from wengert._source import Location, earlier_cells, locate, user_frame, user_frames
from wengert.engine.base import TensorBase
from wengert.engine.noted import latest_in, noted_inside, said_of, switched_before
from wengert.engine.past import SWITCHES, Cut, cut_of, recent_cuts

_DEPTH = 32


class Origin(NamedTuple):
    """Where the path from tracked tensors to a value ended, or that there never was one."""

    kind: str  # `cut`, `switched_off`, `inside` (a function, unknown where), `untracked` (nothing was tracked)
    sentence: str  # all of it in words
    how: str | None = None  # `detach()`, `wengert.no_grad()`
    location: Location | None = None  # of the statement that did it
    variable: str | None = None  # what came of it
    behind: str | None = None  # the tracked tensor on the other side


def why_untracked(t: TensorBase, start: FrameType | None = None) -> Origin | None:
    """Where the path from tracked tensors to ``t`` was cut; None if that cannot be told."""
    noted = cut_of(t)
    for depth, frame in enumerate(user_frames(start if start is not None else user_frame())):
        here = locate(frame.f_code, frame.f_lasti)
        if here is None:
            continue
        variables = variables_of(frame)
        search = _Search(frame.f_code, here, variables)
        names = [name for name, value in variables.items() if value is t] or _containers(t, frame, variables)
        found = search.explain(names[0]) if names else None
        if noted is not None and (found is None or found.kind != "cut"):
            return _noted(names[0] if names else None, noted)
        if found is None and not names and depth == 0:
            step = _cuts.expression(here.source(), here.lineno, here.expression() or "")
            found = search.explain_step("This tensor", step) if step is not None else None
        if found is not None:
            return found
    return _noted(None, noted) if noted is not None else None


def latest_cut(frame: FrameType, *, anywhere: bool = False) -> Origin | None:
    """Where tracking ended last, in a frame's file: what can be said where its source is not at hand, or not enough."""
    cut = latest_in(None if anywhere else frame.f_code.co_filename)
    if cut is None:
        return None
    at = locate(cut.code, cut.lasti)
    source = cut.source() if cut.source is not None else None
    names = names_in_frames(source, frame) if source is not None else []
    of = f" (of `{names[0]}`)" if names else ""
    last = f"The last place {'here ' * (not anywhere)}where tracking ended"
    said = f"{last} is {at}, by {cut.how}{of}; whether that is on the way is not known."
    kind = "switched_off" if cut.how in SWITCHES else "cut"
    return Origin(kind, said, cut.how, at, None, names[0] if names else None)


def _containers(t: TensorBase, frame: FrameType, variables: dict[str, Any]) -> list[str]:
    """The lists of a frame that hold a tensor: `losses` for `losses[3]`."""
    names = [name.partition("[")[0] for name in names_in_frames(t, frame) if "[" in name]
    return [name for name in names if isinstance(variables.get(name), (list, tuple))]


def cut_between(y: TensorBase, x: TensorBase, start: FrameType) -> Origin | None:
    """Where the source has ``x`` cut on the way to ``y``, which does not lead to it; None if that cannot be told."""
    for frame in user_frames(start):
        here = locate(frame.f_code, frame.f_lasti)
        if here is None:
            continue
        variables = variables_of(frame)
        of_y = [name for name, value in variables.items() if value is y]
        if not of_y:  # to look for the names of `x` in every frame would take seconds under a deep stack
            continue
        direct = [name for name, value in variables.items() if value is x]
        of_x = frozenset(direct or names_in_frames(x, frame))
        search = _Search(frame.f_code, here, variables)
        for name in of_y:
            found = search.cut_from(name, of_x, here.lineno)
            if found is not None:
                return found
    return None


def _noted(name: str | None, cut: Cut) -> Origin:
    """What was noted of the tensor itself: nothing is more certain."""
    subject = f"`{name}`" if name is not None else "This tensor"
    location = locate(cut.code, cut.lasti)
    source = cut.source() if cut.source is not None else None
    names = names_in_frames(source) if source is not None else []
    behind = names[0] if names else None
    cut_from = f" from `{behind}`" if behind is not None else ""
    text = location.statement() if location is not None else None
    at = f"{location}, `{text}`" if text is not None and len(text) <= 60 else str(location or "an unknown place")
    return Origin("cut", f"{subject} was cut{cut_from} by {cut.how} at {at}.", cut.how, location, name, behind)


class _Search:
    """A walk backwards through the assignments in one frame."""

    def __init__(self, code: CodeType, here: Location, variables: dict[str, Any]) -> None:
        self.code = code
        self.filename = code.co_filename
        self.here = here
        self.variables = variables
        self.seen: set[tuple[str, int]] = set()  # variables with the lines of the assignments that were looked at

    def explain(self, name: str) -> Origin | None:
        """Where the path to a variable was cut."""
        step = assigned(self.here, name, self.here.lineno)
        return None if step is None else self.explain_step(f"`{name}`", step, name)

    def explain_step(self, subject: str, step: _cuts.Step, name: str | None = None) -> Origin | None:
        """Where the path to the value that ``step`` made was cut."""
        found = self._trace(subject, step, name, 0)
        if found is not None:
            return found
        names = [f"`{name}`" for name in self._tensors(step)]
        if not names and self._is_made_of_nothing(step):
            said = f"It was made of no tensor at all ({self._at(step)}), and without requires_grad=True."
            return Origin("untracked", said, None, self._place(step), name)
        if not names:
            return None
        listed = ", ".join(names)
        untracked = f"{listed} does not require grad" if len(names) == 1 else "none of these requires grad"
        said = f"It was computed from {listed} ({self._at(step)}), and {untracked}."
        return Origin("untracked", said, None, self._place(step), name)

    def _is_made_of_nothing(self, step: _cuts.Step) -> bool:
        """Whether a statement reads no variable but modules, and calls no function of the user's."""
        reads = [name for name in step.names if type(self._value(name)) is not ModuleType]
        return not reads and not any([code_called_by(self._value(call, methods=True)) for call in step.calls])

    def _trace(self, subject: str, step: _cuts.Step, name: str | None, depth: int) -> Origin | None:
        tensors = self._tensors(step)
        tracked = {name for name, value in tensors.items() if value._rg}
        for cut in step.cuts:
            behind = cut.names & tracked
            if behind:
                said = f"{subject} was cut from `{min(behind)}` by {cut.how} at {self._at(step)}."
                return Origin("cut", said, cut.how, self._place(step), name, min(behind))
        if tracked:
            return self._cut_here(subject, step, name, min(tracked))
        if depth == _DEPTH:
            return None
        for source in step.names:
            value = tensors.get(source)
            made = self._unseen(source, self._made(source, step, name))
            found = None
            if made is not None and (value is not None or source not in self.variables or self._is_number(source)):
                found = self._trace(f"`{source}`", made, source, depth + 1)
            noted = cut_of(value) if value is not None else None
            if noted is not None and (found is None or found.kind != "cut"):
                found = _noted(source, noted)
            if found is not None:
                said = f"{subject} was computed from `{source}` ({self._at(step)}). {found.sentence}"
                return found._replace(sentence=said)
        return None

    def _cut_here(self, subject: str, step: _cuts.Step, name: str | None, behind: str) -> Origin:
        """The statement reads a tracked tensor and nothing in its text cuts: a mode, or a function that is called."""
        if step.switched_off is not None:
            said = f"{subject} was computed from `{behind}` under {step.switched_off}, at {self._at(step)}."
            return Origin("switched_off", said, step.switched_off, self._place(step), name, behind)
        inside = self._inside(step)
        if inside is not None:
            said = f"{subject} was computed from `{behind}` at {self._at(step)}. {inside.sentence}"
            return inside._replace(sentence=said, variable=name, behind=behind)
        noted = self._noted_near(step)
        if noted is not None:
            said = f"{subject} was computed from `{behind}` at {self._at(step)}. {noted.sentence}"
            return noted._replace(sentence=said, variable=name, behind=behind)
        said = (
            f"{subject} was computed from `{behind}`, which requires grad now, at {self._at(step)}: the path was cut "
            f"inside of what is called there, or `{behind}` did not require grad at that time."
        )
        latest = latest_cut(user_frame(), anywhere=True)
        if latest is not None:
            said += f" {latest.sentence}"
        return Origin("inside", said, None, self._place(step), name, behind)

    def cut_from(self, name: str, of_x: frozenset[str], line: int, depth: int = 0) -> Origin | None:
        """The first statement on the way to a variable that cuts one of the names ``of_x``."""
        step = self._unseen(name, assigned(self.here, name, line))
        if step is None or depth == _DEPTH:
            return None
        for cut in step.cuts:
            behind = cut.names & of_x
            if behind:
                said = f"`{name}` was cut from `{min(behind)}` by {cut.how} at {self._at(step)}."
                return Origin("cut", said, cut.how, self._place(step), name, min(behind))
            led = [other for other in sorted(cut.names) if self._leads(other, of_x, step.lineno - (other == name))]
            if led:
                said = (
                    f"`{name}` was cut by {cut.how} at {self._at(step)}, from a `{led[0]}` that is computed from "
                    f"`{min(of_x)}`."
                )
                return Origin("cut", said, cut.how, self._place(step), name, min(of_x))
        read = of_x.intersection(step.names)
        if read and not _is_tracked(self._value(name)):
            found = self._cut_here(f"`{name}`", step, name, min(read))
            return found if found.kind != "inside" else None
        for source in step.names:
            found_there = self.cut_from(source, of_x, step.lineno - (source == name), depth + 1)
            if found_there is not None:
                return found_there
        return None

    def _leads(self, name: str, of_x: frozenset[str], line: int) -> bool:
        """Whether a variable, as it was before a line, was computed from one of the names ``of_x``."""
        pending, seen = [(name, line)], set[tuple[str, int]]()
        while pending and len(seen) < _DEPTH:
            name, line = pending.pop(0)
            step = assigned(self.here, name, line)
            if step is None or (name, step.lineno) in seen or step.lineno > line:
                continue
            if of_x.intersection(step.names):
                return True
            seen.add((name, step.lineno))
            pending += [(source, step.lineno - (source == name)) for source in step.names]
        return False

    # --- inside of what is called ----------------------------------------------------------------------------------

    def _inside(self, step: _cuts.Step) -> Origin | None:
        """Where a function of the user's that the statement calls cuts what it returns."""
        for call in step.calls:
            code = code_called_by(self._value(call, methods=True))
            if code is None:
                continue
            first = Location(code.co_filename, code.co_firstlineno, code.co_firstlineno, None, None, "", code)
            found = list(_cuts_within(code, first.source()))
            ran = {locate(cut.code, cut.lasti).lineno for cut in recent_cuts() if cut.code is code}  # type: ignore[union-attr]
            found.sort(key=lambda pair: pair[1].lineno not in ran)
            for how, at in found:
                place = _at(code.co_filename, at)
                verb = f"it was computed under {how}" if how == at.switched_off else f"it was cut by {how}"
                kind = "switched_off" if how == at.switched_off else "cut"
                location = Location(code.co_filename, at.lineno, at.lineno, None, None, code.co_qualname)
                return Origin(kind, f"Inside of `{call}`, {verb} at {place}.", how, location)
        return None

    def _noted_near(self, step: _cuts.Step) -> Origin | None:
        """What was noted in this function before the statement, or in what it calls."""
        cut = switched_before(self.code, step.lineno) if not step.filename else None
        if cut is not None:
            at = locate(cut.code, cut.lasti)
            said = f"Before that, {said_of(cut, at)}."
            return Origin("switched_off", said, cut.how, at)
        for call in step.calls:
            cut = noted_inside(self._value(call, methods=True))
            if cut is not None:
                at = locate(cut.code, cut.lasti)
                said = f"Inside of `{call}`, {said_of(cut, at)}."
                if cut.how in SWITCHES:
                    return Origin("switched_off", said, cut.how, at)
                return Origin("cut", f"{said[:-1]}; whether that is on the way is not known.", cut.how, at)
        return None

    def _unseen(self, name: str, step: _cuts.Step | None) -> _cuts.Step | None:
        """An assignment, unless it was looked at before; a variable may be assigned again and again."""
        if step is None or (name, step.lineno) in self.seen:
            return None
        self.seen.add((name, step.lineno))
        return step

    def _made(self, name: str, step: _cuts.Step, target: str | None) -> _cuts.Step | None:
        line = step.lineno - (name == target)
        if not step.filename:
            return assigned(self.here, name, line)
        made = assigned(Location(step.filename, line, line, None, None, ""), name, line)
        return None if made is None else made._replace(filename=made.filename or step.filename)

    def _tensors(self, step: _cuts.Step) -> dict[str, TensorBase]:
        values = {name: self._value(name) for name in step.names}
        return {name: value for name, value in values.items() if isinstance(value, TensorBase)}

    def _value(self, name: str, *, methods: bool = False) -> Any:
        first, *attributes = name.split(".")
        value = self.variables.get(first)
        for attribute in attributes:
            if value is None:
                return None
            value = attribute_of(value, attribute, methods=methods)
        return value

    def _is_number(self, name: str) -> bool:
        return (
            isinstance(self._value(name), (bool, int, float, complex)) or type(self._value(name)).__module__ == "numpy"
        )

    def _at(self, step: _cuts.Step) -> str:
        return _at(self.filename, step)

    def _place(self, step: _cuts.Step) -> Location:
        return Location(step.filename or self.filename, step.lineno, step.lineno, None, None, "")


def assigned(here: Location, name: str, line: int) -> _cuts.Step | None:
    """The assignment to a variable that came last before a line; in a notebook, or in another cell."""
    step = _cuts.assignment(here.source(), name, line)
    if step is not None:
        return step
    for cell in earlier_cells(here.filename):
        text = _text_of(cell)
        step = _cuts.assignment(text, name, text.count("\n") + 1)
        if step is not None:
            return step._replace(filename=cell)
    return None


def _text_of(filename: str) -> str:
    return Location(filename, 1, 1, None, None, "").source()


def _is_tracked(value: Any) -> bool:
    return isinstance(value, TensorBase) and value._rg


def _at(filename: str, step: _cuts.Step) -> str:
    place = str(Location(step.filename or filename, step.lineno, step.lineno, None, None, ""))
    return f"{place}, `{step.text}`" if len(step.text) <= 60 else place


def _cuts_within(code: CodeType, source: str) -> Iterator[tuple[str, _cuts.Step]]:
    """The cuts on the way to what a function returns, as its source has them: how, and the statement."""
    seen: set[str] = set()
    pending = [(step, "") for step in _cuts.returned(source, code.co_firstlineno)]
    while pending:
        step, target = pending.pop(0)
        if step.switched_off is not None:
            yield step.switched_off, step
        for cut in step.cuts:
            yield cut.how, step
        for name in step.names:
            made = _cuts.assignment(source, name, step.lineno - (name == target)) if name not in seen else None
            seen.add(name)
            if made is not None and len(seen) <= _DEPTH * _DEPTH:
                pending.append((made, name))
