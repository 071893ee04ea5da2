"""Hooks of modules: those of every module, and what runs a call that has some."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from wengert._tensor import Tensor
from wengert.autograd.function import Function
from wengert.autograd.grad_mode import is_grad_enabled
from wengert.engine.hooks import RemovableHandle
from wengert.functions.likes import zeros_like

Hook = Callable[..., Any]
Hooks = dict[int, Hook]


class _EveryModule:
    """The hooks that run for every module. ``keywords`` and ``always`` hold the ids of hooks registered so."""

    __slots__ = ("always", "backward", "backward_pre", "forward", "forward_pre", "full", "keywords", "registered")

    def __init__(self) -> None:
        self.forward_pre: Hooks = {}
        self.forward: Hooks = {}
        self.backward_pre: Hooks = {}
        self.backward: Hooks = {}
        self.full: bool | None = None  # whether `backward` holds full backward hooks; None while it is not known
        self.keywords: set[int] = set()
        self.always: set[int] = set()
        self.registered: dict[str, Hooks] = {"parameter": {}, "buffer": {}, "module": {}}


EVERY = _EveryModule()


def added(hooks: Hooks, hook: Hook, *, first: bool = False) -> RemovableHandle:
    """Register a hook, before all others where ``first`` says so."""
    handle = RemovableHandle(hooks, hook)
    if first:
        others = {key: value for key, value in hooks.items() if key != handle.id}
        for key in others:
            del hooks[key]
        hooks.update(others)
    return handle


def run_registration(kind: str, module: Any, name: str, value: Any) -> Any:
    """What becomes of a parameter, buffer or child that is being registered."""
    for hook in EVERY.registered[kind].values():
        changed = hook(module, name, value)
        if changed is not None:
            value = changed
    return value


# --- a call of a module that has hooks ------------------------------------------------------------------------------


def call_with_hooks(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``module.forward(*args, **kwargs)`` with everything that is registered around it."""
    ran: set[int] = set()
    result: Any = None
    try:
        args, kwargs = _run_forward_pre(module, args, kwargs)
        pre = [*EVERY.backward_pre.values(), *module._backward_pre_hooks.values()]
        full, plain = _backward_hooks(module)
        around = BackwardHooks(module, full, pre) if full or pre else None
        if around is not None:
            args = around.watch_inputs(args)
        result = module.forward(*args, **kwargs)
        result = _run_forward(module, args, kwargs, result, ran)
        if around is not None:
            result = around.watch_outputs(result)
        if plain:
            _hang_on_last_node(module, plain, result)
    except Exception:
        _run_always(module, args, kwargs, result, ran)
        raise
    return result


def _backward_hooks(module: Any) -> tuple[list[Hook], list[Hook]]:
    """Hooks that see all gradients of a module, and those of the old kind, which see its last operation's."""
    sorted_out: tuple[list[Hook], list[Hook]] = ([], [])
    for hooks, is_full in ((EVERY.backward, EVERY.full), (module._backward_hooks, module._is_full_backward_hook)):
        sorted_out[0 if is_full else 1].extend(hooks.values())
    return sorted_out


def _run_forward_pre(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    for key, hook in (*EVERY.forward_pre.items(), *module._forward_pre_hooks.items()):
        if key in module._forward_pre_hooks_with_kwargs:
            changed = hook(module, args, kwargs)
            if changed is None:
                continue
            if not isinstance(changed, tuple) or len(changed) != 2:
                raise RuntimeError(
                    f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {changed}."
                )
            args, kwargs = changed
        else:
            changed = hook(module, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
    return args, kwargs


def _run_forward(module: Any, args: Any, kwargs: Any, result: Any, ran: set[int]) -> Any:
    for key, hook in (*EVERY.forward.items(), *module._forward_hooks.items()):
        if key in module._forward_hooks_always_called or key in EVERY.always:
            ran.add(key)
        takes_keywords = key in module._forward_hooks_with_kwargs or key in EVERY.keywords
        changed = hook(module, args, kwargs, result) if takes_keywords else hook(module, args, result)
        if changed is not None:
            result = changed
    return result


def _run_always(module: Any, args: Any, kwargs: Any, result: Any, ran: set[int]) -> None:
    """After an exception: the forward hooks that are always called and have not been yet."""
    for key, hook in (*EVERY.forward.items(), *module._forward_hooks.items()):
        if key in ran or not (key in module._forward_hooks_always_called or key in EVERY.always):
            continue
        takes_keywords = key in module._forward_hooks_with_kwargs or key in EVERY.keywords
        try:
            changed = hook(module, args, kwargs, result) if takes_keywords else hook(module, args, result)
        except Exception as error:  # noqa: BLE001 - the first exception is the one to see
            warnings.warn(
                f"module forward hook with ``always_call=True`` raised an exception that was silenced as another error "
                f"was raised in forward: {error}",
                UserWarning,
                stacklevel=4,
            )
        else:
            result = result if changed is None else changed


def _hang_on_last_node(module: Any, hooks: list[Hook], result: Any) -> None:
    """Backward hooks of the old kind: on the operation that computed the result (the first one of several)."""
    while not isinstance(result, Tensor):
        if isinstance(result, dict):
            result = next((value for value in result.values() if isinstance(value, Tensor)), None)
        elif isinstance(result, (tuple, list)) and result:
            result = result[0]
        else:
            return
    node = result.grad_fn
    if node is None:
        return
    for hook in hooks:
        node.register_hook(lambda grad_inputs, grad_outputs, hook=hook: hook(module, grad_inputs, grad_outputs))


# --- full backward hooks --------------------------------------------------------------------------------------------


class BackwardHookFunction(Function):
    """The identity: a place in the graph through which all gradients of a module's inputs or outputs pass."""

    @staticmethod
    def forward(ctx: Any, *tensors: Any) -> Any:
        """The inputs as they are."""
        ctx.mark_non_differentiable(*[t for t in tensors if not t.requires_grad])
        return tensors

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:  # noqa: ARG004 - what autograd calls
        """The gradients as they are."""
        return grads


class BackwardHooks:
    """The full backward hooks of one call: gathers the gradients of the outputs, then those of the inputs."""

    def __init__(self, module: Any, hooks: list[Hook], pre: list[Hook]) -> None:
        self.module, self.hooks, self.pre = module, hooks, pre
        self.outputs: tuple[Any, ...] | None = None  # the gradients of the outputs, once they are there
        self.n_inputs, self.n_outputs = 0, 0
        self.where_in: list[int] | None = None
        self.untracked: dict[int, Any] = {}  # inputs that no gradient comes to, and what stands for it
        self.where_out: list[int] = []

    def watch_inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, with the place before them that calls the hooks."""
        self.n_inputs = len(args)
        args, node, where = _through_identity(args)
        if node is not None:
            self.where_in = where
            self.untracked = {i: zeros_like(args[i].detach()) for i in where if not args[i].requires_grad}
            node.register_hook(self._inputs_done)
        return args

    def watch_outputs(self, result: Any) -> Any:
        """The result, with the place after it that keeps its gradients."""
        several = isinstance(result, tuple)
        if not several and not isinstance(result, Tensor):
            warnings.warn(
                "For backward hooks to be called, module output should be a Tensor or a tuple of Tensors but received "
                f"{type(result)}",
                UserWarning,
                stacklevel=4,
            )
            return result
        results = result if several else (result,)
        self.n_outputs = len(results)
        results, node, self.where_out = _through_identity(results)
        if node is not None:
            node.register_prehook(self._outputs_done)
        return results if several else results[0]

    def _outputs_done(self, grads: tuple[Any, ...]) -> tuple[Any, ...] | None:
        outputs = _placed(grads, self.where_out, self.n_outputs)
        for hook in self.pre:
            changed = hook(self.module, outputs)
            if changed is not None:
                changed = changed if isinstance(changed, tuple) else (changed,)
                outputs = _same_number("pre hook", "grad_output", changed, self.n_outputs)
        self.outputs = outputs
        if self.where_in is None:  # no input requires grad: nothing further will arrive
            warnings.warn(
                "Full backward hook is firing when gradients are computed with respect to module outputs since no "
                "inputs require gradients.",
                UserWarning,
                stacklevel=2,
            )
            nothing = (None,) * self.n_inputs
            for hook in self.hooks:
                changed = hook(self.module, nothing, outputs)
                if changed is not None and not (isinstance(changed, tuple) and all(x is None for x in changed)):
                    raise RuntimeError(
                        "Backward hook for Modules where no input requires gradient should always return None or None "
                        "for all gradients."
                    )
            self.outputs = None
        return tuple([outputs[i] for i in self.where_out])

    def _inputs_done(self, grads: tuple[Any, ...], _: tuple[Any, ...]) -> tuple[Any, ...] | None:
        if self.outputs is None:
            return None
        where = self.where_in or []
        inputs = _placed(grads, where, self.n_inputs)
        inputs = tuple([self.untracked.get(i) if g is None else g for i, g in enumerate(inputs)])
        for hook in self.hooks:
            changed = hook(self.module, inputs, self.outputs)
            if changed is not None:
                changed = changed if isinstance(changed, tuple) else (changed,)
                inputs = _same_number("hook", "grad_input", changed, self.n_inputs)
        self.outputs = None
        return tuple([inputs[i] for i in where])


def _through_identity(values: tuple[Any, ...]) -> tuple[tuple[Any, ...], Any, list[int]]:
    """The values with the tensors among them passed through one node: values, node (or None), tensors' positions."""
    where = [i for i, value in enumerate(values) if isinstance(value, Tensor)]
    if not is_grad_enabled() or not any([values[i].requires_grad for i in where]):
        return values, None, where
    through = list(values)
    passed = BackwardHookFunction.apply(*[values[i] for i in where])
    for i, t in zip(where, passed, strict=True):
        through[i] = t
    node = next(t.grad_fn for t in passed if t.grad_fn is not None)
    return tuple(through), node, where


def _placed(grads: tuple[Any, ...], where: list[int], n: int) -> tuple[Any, ...]:
    placed = [None] * n
    for i, g in zip(where, grads, strict=True):
        placed[i] = g
    return tuple(placed)


def _same_number(kind: str, what: str, given: tuple[Any, ...], n: int) -> tuple[Any, ...]:
    if len(given) != n:
        raise RuntimeError(f"Backward {kind} returned an invalid number of {what}, got {len(given)}, but expected {n}")
    return given
