"""``Module``: what holds parameters and computes with them."""

from __future__ import annotations

from typing import Any, ClassVar

from wengert._tensor import Tensor
from wengert._traced import EDITS
from wengert.engine.hooks import RemovableHandle
from wengert.engine.state import STATE
from wengert.functions.legacy import typename
from wengert.nn.modules._compiled_call import CompiledCall
from wengert.nn.modules._conversion import ConversionMethods
from wengert.nn.modules._hooks import EVERY, Hook, Hooks, added, call_with_hooks, run_registration
from wengert.nn.modules._members import MemberMethods
from wengert.nn.modules._state_dict import StateDictMethods
from wengert.nn.modules._text import indented
from wengert.nn.parameter import Buffer, Parameter

__all__ = [
    "Module",
    "register_module_backward_hook",
    "register_module_buffer_registration_hook",
    "register_module_forward_hook",
    "register_module_forward_pre_hook",
    "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook",
    "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
]


class Module(MemberMethods, StateDictMethods, ConversionMethods):
    """Base class of all networks and their parts: it knows its parameters, buffers and the modules inside it.

    Write ``__init__``, which calls ``super().__init__()`` and assigns parameters and modules to attributes, and
    ``forward``. Calling the module calls ``forward`` and the hooks around it.

    >>> import wengert as torch
    >>> class Scale(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.factor = torch.nn.Parameter(torch.tensor(2.0))
    ...     def forward(self, x):
    ...         return x * self.factor
    >>> scale = Scale()
    >>> scale(torch.ones(2))
    tensor([2., 2.], grad_fn=<MulBackward0>)
    >>> dict(scale.state_dict())
    {'factor': tensor(2.)}
    """

    dump_patches: ClassVar[bool] = False
    call_super_init: ClassVar[bool] = False

    training: bool
    _backward_pre_hooks: Hooks
    _backward_hooks: Hooks
    _is_full_backward_hook: bool | None
    _forward_hooks: Hooks
    _forward_hooks_with_kwargs: dict[int, bool]
    _forward_hooks_always_called: dict[int, bool]
    _forward_pre_hooks: Hooks
    _forward_pre_hooks_with_kwargs: dict[int, bool]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        name = f"{type(self).__name__}.__init__()"
        if not self.call_super_init and kwargs:
            raise TypeError(f"{name} got an unexpected keyword argument '{next(iter(kwargs))}'")
        if not self.call_super_init and args:
            raise TypeError(f"{name} takes 1 positional argument but {len(args) + 1} were given")
        self.__dict__.update(
            training=True,
            _parameters={},
            _buffers={},
            _non_persistent_buffers_set=set(),
            _backward_pre_hooks={},
            _backward_hooks={},
            _is_full_backward_hook=None,
            _forward_hooks={},
            _forward_hooks_with_kwargs={},
            _forward_hooks_always_called={},
            _forward_pre_hooks={},
            _forward_pre_hooks_with_kwargs={},
            _state_dict_hooks={},
            _state_dict_pre_hooks={},
            _load_state_dict_pre_hooks={},
            _load_state_dict_post_hooks={},
            _modules={},
        )
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    # --- calling ---

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the result; every module defines it."""
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """``forward(*args, **kwargs)``, with the hooks around it."""
        if STATE.trace is not None:
            STATE.trace.settings.note(self)
        if (
            self._forward_hooks
            or self._forward_pre_hooks
            or self._backward_hooks
            or self._backward_pre_hooks
            or EVERY.forward
            or EVERY.forward_pre
            or EVERY.backward
            or EVERY.backward_pre
        ):
            return call_with_hooks(self, args, kwargs)
        return self.forward(*args, **kwargs)

    _call_impl = __call__

    def compile(
        self, *, fallback: bool = False, fast_math: bool = False, fullgraph: bool | None = None, **_options: Any
    ) -> None:
        """Have the module's ``forward`` compiled, as by :func:`wengert.compile`; hooks run around it.

        >>> import wengert as torch
        >>> net = torch.nn.Linear(2, 1)
        >>> net.compile()
        >>> net(torch.ones(3, 2)).grad_fn.name()
        'CompiledFunctionBackward'
        """
        fallback = fallback or fullgraph is False
        self.__dict__["forward"] = CompiledCall(self, type(self).forward, fallback, fast_math)

    def _traced_state(self) -> tuple[bool, ...]:
        """What a trace of a function with this module for an argument takes for constant."""
        return tuple([module.training for module in self.modules()])

    # --- attributes ---

    def __getattr__(self, name: str) -> Any:
        own = self.__dict__
        if "_modules" in own:
            for table in (own["_parameters"], own["_buffers"], own["_modules"]):
                if name in table:
                    return table[name]
            hint = ""
        else:
            hint = ": call super().__init__() first in its __init__"
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'{hint}", name=name, obj=self)

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        if isinstance(value, Parameter):
            if "_parameters" not in own:
                raise AttributeError("cannot assign parameters before Module.__init__() call")
            self._forget(name, "_buffers", "_modules")
            self.register_parameter(name, value)
        elif name in own.get("_parameters", ()):
            _check_assigned(name, value, Tensor if value is None else Parameter, "parameter", "torch.nn.Parameter")
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            if "_modules" not in own:
                raise AttributeError("cannot assign module before Module.__init__() call")
            self._forget(name, "_parameters", "_buffers")
            own["_modules"][name] = run_registration("module", self, name, value)
        elif name in own.get("_modules", ()):
            _check_assigned(name, value, Module, "child module", "torch.nn.Module")
            own["_modules"][name] = run_registration("module", self, name, value)
        elif isinstance(value, Buffer) or name in own.get("_buffers", ()):
            self._assign_buffer(name, value)
        else:
            object.__setattr__(self, name, value)
        EDITS.count += 1  # afterwards: whoever looks at the attributes before would not look again

    def _forget(self, name: str, *tables: str) -> None:
        """Take a name out of everything but the table that it is about to enter."""
        own = self.__dict__
        own.pop(name, None)
        for table in tables:
            own[table].pop(name, None)
        own["_non_persistent_buffers_set"].discard(name)

    def _assign_buffer(self, name: str, value: Any) -> None:
        own = self.__dict__
        if "_buffers" not in own:
            raise AttributeError("cannot assign buffer before Module.__init__() call")
        _check_assigned(name, value, Tensor, "buffer", "torch.nn.Buffer, torch.Tensor")
        if isinstance(value, Buffer):
            persistent = value.persistent
            self._forget(name, "_parameters", "_modules")
            self.register_buffer(name, value, persistent)
        else:
            own["_buffers"][name] = run_registration("buffer", self, name, value)

    def __delattr__(self, name: str) -> None:
        table = next((table for table in (self._parameters, self._buffers, self._modules) if name in table), None)
        if table is None:
            super().__delattr__(name)
        else:
            del table[name]
            self._non_persistent_buffers_set.discard(name)
        EDITS.count += 1

    def __dir__(self) -> list[str]:
        listed = {*super().__dir__(), *self._parameters, *self._buffers, *self._modules}
        return sorted([name for name in listed if not name[0].isdigit()])

    def __setstate__(self, state: dict[str, Any]) -> None:
        Module.__init__(self)
        self.__dict__.update(state)

    # --- registering ---

    def register_parameter(self, name: str, param: Any) -> None:
        """Add a parameter under a name; None keeps the name for one that is not there.

        Raises:
            TypeError: no parameter.
            KeyError: the name is empty, has a point in it, or is taken.
            ValueError: a tensor that was computed.
        """
        self._check_name("parameter", name, self._parameters)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{typename(param)}' object to parameter '{name}' (torch.nn.Parameter or None required)"
            )
        if param is not None and param.grad_fn is not None:
            raise ValueError(
                f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created explicitly. To "
                f"express '{name}' as a function of another Tensor, compute the value in the forward() method."
            )
        if param is not None:
            param = run_registration("parameter", self, name, param)
        self._parameters[name] = param
        EDITS.count += 1

    def register_buffer(self, name: str, tensor: Any, persistent: bool = True) -> None:
        """Add a tensor that belongs to the state and is not learned; a non-persistent one is not in the state dict.

        Raises:
            TypeError: no tensor.
            KeyError: the name is empty, has a point in it, or is taken.

        >>> import wengert as torch
        >>> module = torch.nn.Module()
        >>> module.register_buffer("steps", torch.tensor(0))
        >>> dict(module.state_dict())
        {'steps': tensor(0)}
        """
        self._check_name("buffer", name, self._buffers)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{typename(tensor)}' object to buffer '{name}' (torch Tensor or None required)"
            )
        self._buffers[name] = run_registration("buffer", self, name, tensor)
        EDITS.count += 1
        (self._non_persistent_buffers_set.discard if persistent else self._non_persistent_buffers_set.add)(name)

    def _check_name(self, kind: str, name: Any, table: dict[str, Any]) -> None:
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {typename(name)}")
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain "."')
        if not name:
            raise KeyError(f'{kind} name can\'t be empty string ""')
        if name not in table and hasattr(self, name):
            raise KeyError(f"attribute '{name}' already exists")

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a module under a name.

        Raises:
            TypeError: no module.
            KeyError: the name is empty, has a point in it, or is taken.
        """
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{typename(module)} is not a Module subclass")
        self._check_name("module", name, self._modules)
        self._modules[name] = run_registration("module", self, name, module)
        EDITS.count += 1

    def register_module(self, name: str, module: Module | None) -> None:
        """As :meth:`add_module`."""
        self.add_module(name, module)

    # --- hooks ---

    def register_forward_pre_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args)`` before ``forward``; what it returns takes the place of the arguments.

        With ``with_kwargs`` it is ``hook(module, args, kwargs)``, which returns None or both.
        """
        handle = added(self._forward_pre_hooks, hook, first=prepend)
        if with_kwargs:
            self._forward_pre_hooks_with_kwargs[handle.id] = True
        return handle

    def register_forward_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after ``forward``; what it returns takes the place of the output.

        With ``with_kwargs`` it is ``hook(module, args, kwargs, output)``; with ``always_call`` it runs also when
        something raised.

        >>> import wengert as torch
        >>> layer = torch.nn.ReLU()
        >>> handle = layer.register_forward_hook(lambda module, args, output: output + 1)
        >>> layer(torch.tensor([-1.0, 1.0]))
        tensor([1., 2.])
        """
        handle = added(self._forward_hooks, hook, first=prepend)
        if with_kwargs:
            self._forward_hooks_with_kwargs[handle.id] = True
        if always_call:
            self._forward_hooks_always_called[handle.id] = True
        return handle

    def register_full_backward_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_output)`` before the gradients of the inputs are computed; it may replace them."""
        return added(self._backward_pre_hooks, hook, first=prepend)

    def register_full_backward_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` once the gradients of the inputs are there.

        What it returns takes the place of ``grad_input``.

        Raises:
            RuntimeError: the module has a backward hook of the old kind.
        """
        self._settle_kind(full=True)
        return added(self._backward_hooks, hook, first=prepend)

    def register_backward_hook(self, hook: Hook) -> RemovableHandle:
        """Call a hook with the gradients of the last operation of ``forward``: the old kind, as PyTorch has it.

        Raises:
            RuntimeError: the module has a full backward hook.
        """
        self._settle_kind(full=False)
        return added(self._backward_hooks, hook)

    def _settle_kind(self, *, full: bool) -> None:
        if self._is_full_backward_hook is (not full):
            raise RuntimeError(
                "Cannot use both regular backward hooks and full backward hooks on a single Module. Please use only "
                "one of them."
            )
        self.__dict__["_is_full_backward_hook"] = full

    # --- text ---

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """What stands between the brackets of the module's text besides the modules in it."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        inside = extra.split("\n") if extra else []
        below = [f"({name}): {indented(repr(module))}" for name, module in self._modules.items()]
        if len(inside) == 1 and not below:
            return f"{self._get_name()}({inside[0]})"
        lines = "".join([f"\n  {line}" for line in inside + below])
        return f"{self._get_name()}({lines}\n)" if lines else f"{self._get_name()}()"


def _check_assigned(name: str, value: Any, kind: type, what: str, wanted: str) -> None:
    if value is not None and not isinstance(value, kind):
        raise TypeError(f"cannot assign '{typename(value)}' as {what} '{name}' ({wanted} or None expected)")


# --- hooks of every module ------------------------------------------------------------------------------------------


def register_module_forward_pre_hook(hook: Hook) -> RemovableHandle:
    """Call ``hook(module, args)`` before the ``forward`` of every module."""
    return added(EVERY.forward_pre, hook)


def register_module_forward_hook(
    hook: Hook, *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Call ``hook(module, args, output)`` after the ``forward`` of every module."""
    handle = added(EVERY.forward, hook)
    if with_kwargs:
        EVERY.keywords.add(handle.id)
    if always_call:
        EVERY.always.add(handle.id)
    return handle


def register_module_full_backward_pre_hook(hook: Hook) -> RemovableHandle:
    """Call ``hook(module, grad_output)`` before the gradients of every module's inputs are computed."""
    return added(EVERY.backward_pre, hook)


def register_module_full_backward_hook(hook: Hook) -> RemovableHandle:
    """Call ``hook(module, grad_input, grad_output)`` once the gradients of a module's inputs are there.

    Raises:
        RuntimeError: there is a hook of the old kind.
    """
    return _settled(hook, full=True)


def register_module_backward_hook(hook: Hook) -> RemovableHandle:
    """Call a backward hook of the old kind for every module.

    Raises:
        RuntimeError: there is a full backward hook.
    """
    return _settled(hook, full=False)


def _settled(hook: Hook, *, full: bool) -> RemovableHandle:
    if EVERY.full is (not full) and EVERY.backward:
        raise RuntimeError(
            "Cannot use both regular backward hooks and full backward hooks as a global Module hook. Please use only "
            "one of them."
        )
    EVERY.full = full
    return added(EVERY.backward, hook)


def register_module_parameter_registration_hook(hook: Hook) -> RemovableHandle:
    """Call ``hook(module, name, parameter)`` for every parameter that is registered; it may return another."""
    return added(EVERY.registered["parameter"], hook)


def register_module_buffer_registration_hook(hook: Hook) -> RemovableHandle:
    """Call ``hook(module, name, buffer)`` for every buffer that is registered; it may return another."""
    return added(EVERY.registered["buffer"], hook)


def register_module_module_registration_hook(hook: Hook) -> RemovableHandle:
    """Call ``hook(module, name, child)`` for every module that is registered; it may return another."""
    return added(EVERY.registered["module"], hook)
