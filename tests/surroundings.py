"""Functions that read one value from outside of themselves, in each way that there is, and how to change that value."""

from __future__ import annotations

import argparse
import collections
import functools
from collections.abc import Callable
from dataclasses import asdict, dataclass
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple

import wengert as torch


class Reader(NamedTuple):
    """A function of a tensor, what changes the value that it reads, and what takes it away."""

    function: Callable[[Any], Any]
    put: Callable[[Any], Any]
    drop: Callable[[], Any] | None = None


def use(x: Any, value: Any) -> Any:
    """Something that depends on a value of any kind."""
    if value is None:
        return x + 0.5
    if isinstance(value, str):
        return x * len(value) + 1
    return value(x) if callable(value) else x * value


VALUE: Any = 1
HOLDER: Any = None
TABLE: dict[str, Any] = {}
ROWS: list[Any] = []
OTHER = ModuleType("surroundings_other")
OTHER.__file__ = __file__


def _put_global(name: str) -> Callable[[Any], None]:
    return functools.partial(globals().__setitem__, name)


def _reads_global(x: Any) -> Any:
    return use(x, VALUE)


def _read_of(x: Any, holder: Any) -> Any:
    return use(x, holder.value)


def _sum_of(x: Any, values: Any) -> Any:
    for value in values:
        x = use(x, value)
    return x


class _Slots:
    __slots__ = ("value",)


class _Plain:
    value: Any = 1

    def __init__(self) -> None:
        self.inner = SimpleNamespace(value=1)

    def by_attribute(self, x: Any) -> Any:
        return use(x, self.value)

    def by_lambda(self, x: Any) -> Any:
        function = lambda y: use(y, self.value)
        return function(x)

    def by_method(self, x: Any) -> Any:
        return self.by_attribute(x)

    def by_helper(self, x: Any) -> Any:
        return _read_of(x, self)

    def by_alias(self, x: Any) -> Any:
        inner = self.inner
        return use(x, inner.value)

    @property
    def computed(self) -> Any:
        return self.value

    def by_property(self, x: Any) -> Any:
        return use(x, self.computed)

    def step(self, x: Any) -> Any:
        return x

    def by_step(self, x: Any) -> Any:
        return self.step(x)

    def __call__(self, x: Any) -> Any:
        return self.by_attribute(x)


class _Child(_Plain):
    def by_attribute(self, x: Any) -> Any:
        return super().by_attribute(x) + 1


@dataclass
class _Settings:
    value: Any = 1


class _Attributes(dict[str, Any]):
    __getattr__ = dict.__getitem__
    __setattr__ = dict.__setitem__  # type: ignore[assignment]


class _Dynamic:
    def __init__(self) -> None:
        self.__dict__["data"] = {"value": 1}

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["data"][name]
        except KeyError:
            raise AttributeError(name) from None


class _Net(torch.nn.Module):
    shared: Any = 1

    def __init__(self) -> None:
        super().__init__()
        self.value = 1
        self._hidden = 1
        self.settings = SimpleNamespace(value=1)
        self.values = [1]

    def forward(self, x: Any) -> Any:
        return use(x, self.value)


class _Hidden(_Net):
    def forward(self, x: Any) -> Any:
        return use(x, self._hidden)


class _Shared(_Net):
    def forward(self, x: Any) -> Any:
        return use(x, self.shared)


class _Inner(_Net):
    def forward(self, x: Any) -> Any:
        return use(x, self.settings.value)


class _Listed(_Net):
    def forward(self, x: Any) -> Any:
        return use(x, self.values[0])


def _of_holder(holder: Any, function: Callable[..., Any] | None = None) -> Reader:
    def read(x: Any) -> Any:
        return use(x, holder.value)

    holder.value = 1
    return Reader(function or read, functools.partial(setattr, holder, "value"), lambda: delattr(holder, "value"))


# --- the ways -------------------------------------------------------------------------------------------------------


def a_global() -> Reader:
    return Reader(_reads_global, _put_global("VALUE"), lambda: globals().pop("VALUE"))


def a_global_of_a_helper() -> Reader:
    return Reader(lambda x: _reads_global(x) * 2, _put_global("VALUE"), lambda: globals().pop("VALUE"))


def a_global_under_grad() -> Reader:
    def total(x: Any) -> Any:
        return (_reads_global(x) * x).sum()

    return Reader(torch.func.grad(total), _put_global("VALUE"))


def a_variable_around() -> Reader:
    value: Any = 1

    def put(new: Any) -> None:
        nonlocal value
        value = new

    def drop() -> None:
        nonlocal value
        del value

    return Reader(lambda x: use(x, value), put, drop)


def a_variable_around_a_nested_function() -> Reader:
    value: Any = 1

    def put(new: Any) -> None:
        nonlocal value
        value = new

    def function(x: Any) -> Any:
        def inner(y: Any) -> Any:
            (z,) = [use(z, value) for z in (y,)]
            return z

        return inner(x)

    return Reader(function, put)


def a_default() -> Reader:
    def function(x: Any, value: Any = 1) -> Any:
        return use(x, value)

    return Reader(function, lambda new: setattr(function, "__defaults__", (new,)))


def a_default_of_a_keyword() -> Reader:
    def function(x: Any, *, value: Any = 1) -> Any:
        return use(x, value)

    assert function.__kwdefaults__ is not None
    return Reader(lambda x: function(x), functools.partial(function.__kwdefaults__.__setitem__, "value"))


def a_default_of_a_helper() -> Reader:
    def helper(x: Any, value: Any = 1) -> Any:
        return use(x, value)

    return Reader(lambda x: helper(x), lambda new: setattr(helper, "__defaults__", (new,)))


def an_attribute_of_a_module() -> Reader:
    OTHER.value = 1  # type: ignore[attr-defined]
    return Reader(
        lambda x: use(x, OTHER.value),
        functools.partial(setattr, OTHER, "value"),
        lambda: delattr(OTHER, "value"),
    )


def an_attribute() -> Reader:
    return _of_holder(SimpleNamespace())


def an_attribute_of_parsed_arguments() -> Reader:
    return _of_holder(argparse.Namespace())


def an_attribute_of_a_dataclass() -> Reader:
    return _of_holder(_Settings())


def a_field_as_a_dictionary() -> Reader:
    settings = _Settings()
    return Reader(lambda x: use(x, asdict(settings)["value"]), functools.partial(setattr, settings, "value"))


def a_slot() -> Reader:
    return _of_holder(_Slots())


def an_attribute_that_is_an_item() -> Reader:
    return _of_holder(_Attributes())._replace(drop=None)


def an_attribute_that_is_computed() -> Reader:
    holder = _Dynamic()
    return Reader(lambda x: use(x, holder.value), functools.partial(holder.data.__setitem__, "value"))


def an_attribute_of_a_global() -> Reader:
    globals()["HOLDER"] = SimpleNamespace(value=1)
    return Reader(lambda x: use(x, HOLDER.value), lambda new: setattr(HOLDER, "value", new))


def the_object_with_the_attribute() -> Reader:
    def put(new: Any) -> None:
        globals()["HOLDER"] = SimpleNamespace(value=new)

    put(1)
    return Reader(lambda x: use(x, HOLDER.value), put, lambda: globals().pop("HOLDER"))


def an_attribute_of_an_attribute() -> Reader:
    holder = SimpleNamespace(inner=SimpleNamespace(value=1))
    return Reader(lambda x: use(x, holder.inner.value), lambda new: setattr(holder.inner, "value", new))


def an_attribute_between() -> Reader:
    holder = SimpleNamespace(inner=SimpleNamespace(value=1))
    put = lambda new: setattr(holder, "inner", SimpleNamespace(value=new))
    return Reader(lambda x: use(x, holder.inner.value), put)


def all_attributes_at_once() -> Reader:
    holder = _Plain()
    return Reader(lambda x: use(x, holder.value), lambda new: setattr(holder, "__dict__", {"value": new}))


def an_attribute_under_another_name() -> Reader:
    holder = SimpleNamespace(inner=SimpleNamespace(value=1))

    def function(x: Any) -> Any:
        inner = holder.inner
        read = lambda y: use(y, inner.value)
        return read(x)

    return Reader(function, functools.partial(setattr, holder.inner, "value"))


def an_attribute_of_what_is_passed_on() -> Reader:
    holder = SimpleNamespace(value=1)
    return Reader(lambda x: _read_of(x, holder), functools.partial(setattr, holder, "value"))


def an_attribute_by_its_name() -> Reader:
    holder = SimpleNamespace(value=1)
    return Reader(
        lambda x: use(x, getattr(holder, "value")),  # noqa: B009  # a way to read it
        functools.partial(setattr, holder, "value"),
    )


def the_dictionary_of_an_object() -> Reader:
    holder = SimpleNamespace(value=1)
    return Reader(lambda x: use(x, vars(holder)["value"]), functools.partial(setattr, holder, "value"))


def an_attribute_of_a_class() -> Reader:
    class Settings:
        value: Any = 1

    return Reader(lambda x: use(x, Settings.value), functools.partial(setattr, Settings, "value"))


def an_attribute_of_the_class_of_self() -> Reader:
    cls = type("Own", (_Plain,), {"value": 1})
    return Reader(cls().by_attribute, functools.partial(setattr, cls, "value"))


def of_self(how: str) -> Reader:
    holder = _Plain()
    return _of_holder(holder, getattr(holder, how))


def of_self_by_a_class_above() -> Reader:
    holder = _Child()
    return _of_holder(holder, holder.by_attribute)


def of_an_object_that_is_called() -> Reader:
    holder = _Plain()
    return _of_holder(holder, holder)


def of_a_partial_function() -> Reader:
    holder = _Plain()
    return _of_holder(holder, functools.partial(_Plain.by_attribute, holder))


def of_an_inner_object() -> Reader:
    holder = _Plain()
    return Reader(holder.by_alias, functools.partial(setattr, holder.inner, "value"))


def a_method_of_an_object() -> Reader:
    holder = _Plain()
    return Reader(holder.by_step, lambda new: setattr(holder, "step", lambda x: use(x, new)))


def a_method_of_a_class() -> Reader:
    cls = type("Own", (_Plain,), {})
    return Reader(cls().by_step, lambda new: setattr(cls, "step", lambda _, x: use(x, new)))


def a_method_of_another_object() -> Reader:
    holder = _Plain()

    def put(new: Any) -> None:
        other = _Plain()
        other.value = new
        holder.step = other.by_attribute  # type: ignore[method-assign]

    put(1)
    return Reader(holder.by_step, put)


def an_item() -> Reader:
    table = {"value": 1}
    return Reader(lambda x: use(x, table["value"]), functools.partial(table.__setitem__, "value"), table.clear)


def an_item_of_an_ordered_dictionary() -> Reader:
    table = collections.OrderedDict(value=1)
    return Reader(lambda x: use(x, table["value"]), functools.partial(table.__setitem__, "value"), table.clear)


def an_item_of_a_global() -> Reader:
    TABLE["value"] = 1
    return Reader(lambda x: use(x, TABLE["value"]), functools.partial(TABLE.__setitem__, "value"), TABLE.clear)


def an_item_of_an_item() -> Reader:
    table = {"inner": {"value": 1}}
    return Reader(lambda x: use(x, table["inner"]["value"]), functools.partial(table["inner"].__setitem__, "value"))


def an_item_or_a_default() -> Reader:
    table = {"value": 1}
    return Reader(lambda x: use(x, table.get("value", 7)), functools.partial(table.__setitem__, "value"), table.clear)


def an_item_by_a_variable_key() -> Reader:
    table = {"value": 1}
    return Reader(
        lambda x: use(x, table["val" + "ue"[x.ndim - 1 :]]), functools.partial(table.__setitem__, "value"), table.clear
    )


def items_of_a_dictionary() -> Reader:
    table = {"value": 1}
    return Reader(lambda x: _sum_of(x, table.values()), functools.partial(table.__setitem__, "value"), table.clear)


def one_of_a_list() -> Reader:
    rows: list[Any] = [0, 1]
    return Reader(lambda x: use(x, rows[-1]), functools.partial(rows.__setitem__, 1), rows.clear)


def all_of_a_list() -> Reader:
    globals()["ROWS"] = [1, 2]

    def function(x: Any) -> Any:
        a, b = ROWS
        return use(use(x, a), b)

    return Reader(function, lambda new: ROWS.__setitem__(0, new), lambda: ROWS.append(1))


def another_list() -> Reader:
    globals()["ROWS"] = [1, 2]
    return Reader(lambda x: _sum_of(x, ROWS), lambda new: globals().__setitem__("ROWS", [new, 2]))


def a_list_that_grows() -> Reader:
    rows: list[Any] = [1, 2]
    return Reader(lambda x: _sum_of(x, rows), rows.append, rows.clear)


def a_list_in_a_tuple() -> Reader:
    pair = (3, [1])
    return Reader(lambda x: use(x, pair[1][0]), functools.partial(pair[1].__setitem__, 0))  # type: ignore[index,union-attr]


def a_setting_of_a_module() -> Reader:
    net = _Net()
    return Reader(torch_call(net), _put_in(net, "value"), lambda: delattr(net, "value"))


def a_setting_of_a_module_that_does_not_run() -> Reader:
    net = _Net()
    return Reader(lambda x: use(x, net.value), _put_in(net, "value"))


def a_private_setting_of_a_module() -> Reader:
    net = _Hidden()
    return Reader(torch_call(net), _put_in(net, "_hidden"))


def a_setting_of_the_class_of_a_module() -> Reader:
    cls = type("Own", (_Shared,), {"shared": 1})
    return Reader(torch_call(cls()), functools.partial(setattr, cls, "shared"))


def settings_that_a_module_has() -> Reader:
    net = _Inner()
    return Reader(torch_call(net), functools.partial(setattr, net.settings, "value"))


def a_list_that_a_module_has() -> Reader:
    net = _Listed()
    return Reader(torch_call(net), functools.partial(net.values.__setitem__, 0))


def torch_call(net: Any) -> Callable[[Any], Any]:
    """A function that calls a module."""
    return lambda x: net(x) + 1


def _put_in(net: Any, name: str) -> Callable[[Any], None]:
    """What sets a module's attribute, which may have been a parameter."""

    def put(new: Any) -> None:
        if hasattr(net, name):
            delattr(net, name)
        setattr(net, name, new)

    return put


WAYS: dict[str, Callable[[], Reader]] = {
    each.__name__: each
    for each in (
        a_global,
        a_global_of_a_helper,
        a_global_under_grad,
        a_variable_around,
        a_variable_around_a_nested_function,
        a_default,
        a_default_of_a_keyword,
        a_default_of_a_helper,
        an_attribute_of_a_module,
        an_attribute,
        an_attribute_of_parsed_arguments,
        an_attribute_of_a_dataclass,
        a_field_as_a_dictionary,
        a_slot,
        an_attribute_that_is_an_item,
        an_attribute_that_is_computed,
        an_attribute_of_a_global,
        the_object_with_the_attribute,
        an_attribute_of_an_attribute,
        an_attribute_between,
        all_attributes_at_once,
        an_attribute_under_another_name,
        an_attribute_of_what_is_passed_on,
        an_attribute_by_its_name,
        the_dictionary_of_an_object,
        an_attribute_of_a_class,
        an_attribute_of_the_class_of_self,
        of_self_by_a_class_above,
        of_an_object_that_is_called,
        of_a_partial_function,
        of_an_inner_object,
        a_method_of_an_object,
        a_method_of_a_class,
        a_method_of_another_object,
        an_item,
        an_item_of_an_ordered_dictionary,
        an_item_of_a_global,
        an_item_of_an_item,
        an_item_or_a_default,
        an_item_by_a_variable_key,
        items_of_a_dictionary,
        one_of_a_list,
        all_of_a_list,
        another_list,
        a_list_that_grows,
        a_list_in_a_tuple,
        a_setting_of_a_module,
        a_setting_of_a_module_that_does_not_run,
        a_private_setting_of_a_module,
        a_setting_of_the_class_of_a_module,
        settings_that_a_module_has,
        a_list_that_a_module_has,
    )
} | {
    f"of_self_{how}": functools.partial(of_self, how)
    for how in ("by_attribute", "by_lambda", "by_method", "by_helper", "by_property")
}
