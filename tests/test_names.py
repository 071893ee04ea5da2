"""The user's own names: from the source (results, operands) and from the frames on the stack (objects)."""

import gc
import sys
import threading
import weakref
from collections import OrderedDict, namedtuple
from dataclasses import dataclass

import pytest

from source_probe import Run
from wengert._names import names_in_frames, operand_texts, result_name

pytestmark = pytest.mark.usefixtures("clean_linecache")


def result_names(source, kind="mul"):
    return [result_name(place) for place in Run(source).all(kind)]


class TestResultName:
    @pytest.mark.parametrize(
        ("source", "expected"),
        [
            ("y = x * w", "y"),
            ("y = (x * w)", "y"),
            ("y: object = x * w", "y"),
            ("y = z = x * w", "y"),
            ("x.y = x * w", "x.y"),
            ("ys = [0]; ys[0] = x * w", "ys[0]"),
            ("print(y := x * w)", "y"),
            ("z = (y := x * w)", "y"),
            ("x *= w", "x"),
            ("x.y = w; x.y *= w", "x.y"),
            ("a, y = x, x * w", "y"),
            ("[a, y] = x, x * w", "y"),
            ("a, *rest, y = 1, 2, 3, x * w", "y"),
            ("*rest, y = 1, x * w, 3", None),
            ("a, y = (1, x * w) if x else (0, 0)", None),
            ("y = x * w if 1 else 0", "y"),
            ("y = 0 if 0 else x * w", "y"),
            ("y = 1 if x * w else 0", None),
            ("y = x * w + 1", None),
            ("y = -(x * w)", None),
            ("y = [x * w]", None),
            ("y = str(x * w)", None),
            ("y = (x * w).exp()", None),
            ("_ = x * w", None),
            ("x * w", None),
            ("f = lambda: x * w\nf()", None),
            ("def f():\n  return x * w\ny = f()", None),
            ("def f(v=x * w): pass", None),
            ("y = [x * w for _ in range(1)]", None),
            ("y = x.mul(w)", "y"),
            ("y = mod.mul(x, w)", "y"),
            ("y = x.mul(w).mean()", None),
            ("if 1: y = x * w", "y"),
            ("while 1:\n  y = x * w\n  break", "y"),
        ],
    )
    def test_assignments(self, source, expected):
        assert result_names(source) == [expected]

    def test_methods_that_write_in_place(self):
        assert result_names("x.mul_(w)", "mul_") == ["x"]
        assert result_names("x.weight = b; x.weight.mul_(w)", "mul_") == ["x.weight"]
        assert result_names("y = x.mul_(w)", "mul_") == ["y"]
        assert result_names("x.mul(w)", "mul") == [None]
        assert result_names("x.__mul__(w)", "mul") == [None]

    def test_item_assignment_writes_its_base(self):
        assert result_names("x[0] = w", "setitem") == ["x"]
        run = Run("x[0] += w")
        read, add, write = run.all()
        assert (result_name(read), result_name(add), result_name(write)) == (None, "x[0]", None)

    def test_which_of_several_results(self):
        first, second = Run("a, b = mod.split(x, 2)").all("split")
        assert (result_name(first, 0), result_name(second, 1)) == ("a", "b")
        assert result_name(first) is None
        (pair, _) = Run("pair = mod.split(x, 2)").all("split")
        assert (result_name(pair), result_name(pair, 0)) == ("pair", None)
        (starred, _) = Run("*a, b = mod.split(x, 2)").all("split")
        assert (result_name(starred, 0), result_name(starred, 1)) == (None, None)
        assert result_name(first, 7) is None


class TestOperandTexts:
    @pytest.mark.parametrize(
        ("source", "expected"),
        [
            ("y = w * x + b", ("w", "x")),
            ("y = (w + b) * x.T[0]", ("w + b", "x.T[0]")),
            ("x *= w", ("x", "w")),
            ("y = x.mul(w)", ("x", "w")),
            ("y = x.exp().mul(w)", ("x.exp()", "w")),
            ("y = x.mul(other=w)", ("x", "w")),
            ("y = x.mul(*[w])", ("x",)),
            ("y = x.mul(w, out=b)", ("x", "w")),
            ("import torch\ny = torch.mul(x, w)", ("x", "w")),
            ("import torch.nn.functional as G\ny = G.mul(x, w)", ("x", "w")),
            ("import torch\ny = torch.special.mul(x, w)", ("x", "w")),
            ("y = torch.mul(x, w)", ("x", "w")),
            ("y = torch.mul(other=w, input=x)", ("x", "w")),
            ("y = torch.mul([x, w], dim=0)", ("x", "w")),
            ("y = torch.mul((x, w), 0)", ("x", "w", "0")),
            ("y = torch.mul('ij,j', x, w)", ("x", "w")),
            ("F = x\ny = F.mul(w)", ("F", "w")),
            ("from torch import nn\ny = nn.mul(x, w)", ("x", "w")),
            ("from torch import something\ny = something.mul(w)", None),
            ("def f(torch): return torch.mul(w)\ny = f(x)", ("torch", "w")),
            ("from torch import mul\ny = mul(x, w)", ("x", "w")),
        ],
    )
    def test_operators_and_calls(self, source, expected):
        assert operand_texts(Run(source).one("mul")) == expected

    @pytest.mark.parametrize(
        ("source", "kind", "expected"),
        [
            ("y = -x", "neg", ("x",)),
            ("y = x < w", "lt", ("x", "w")),
            ("y = x[w, 0]", "getitem", ("x", "w, 0")),
            ("x[1:] = w", "setitem", ("x", "w")),
            ("y = x.T", "T", ("x",)),
            ("y = x(w)", "call", ("w",)),
        ],
    )
    def test_other_operations(self, source, kind, expected):
        assert operand_texts(Run(source).one(kind)) == expected

    def test_globals_tell_a_module_where_the_source_does_not(self):
        place = Run("y = mod.mul(x, w)").one("mul")
        assert operand_texts(place) == ("mod", "x", "w")
        assert operand_texts(place, {"mod": sys}) == ("x", "w")
        assert operand_texts(place, {"mod": 3.5}) == ("mod", "x", "w")


class Hostile:
    """An object that fails a test when any of its code is run."""

    def __init__(self, **attributes):
        object.__setattr__(self, "__dict__", attributes)

    def refuse(self, *args, **kwargs):
        raise AssertionError("user code was run")

    __eq__ = __repr__ = __str__ = __bool__ = __len__ = __iter__ = __getitem__ = __getattribute__ = refuse
    __hash__ = None
    w2 = property(refuse)
    __class__ = property(refuse)


class TestNamesInFrames:
    def test_locals_before_globals_and_inner_before_outer(self):
        thing = object()

        def inner():
            nearer = thing  # noqa: F841 - found by its name
            return names_in_frames(thing)

        assert inner() == ["nearer", "thing"]
        assert names_in_frames(thing) == ["thing"]

        def argument(v):
            return names_in_frames(v)

        assert argument(thing) == ["v"]

    def test_outer_frames_are_looked_at(self):
        mine = [1]  # noqa: F841 - found by its name

        def far():
            def farther():
                return names_in_frames(None, match=lambda c: type(c) is list and c == [1])

            return farther()

        assert far() == ["mine"]

    def test_globals_of_a_notebook(self):
        thing = object()
        namespace = {
            "names": names_in_frames,
            "_": thing,
            "__": thing,
            "___": thing,
            "_12": thing,
            "_i3": thing,
            "Out": {12: thing},
            "_oh": {12: thing},
            "__cached__": thing,
        }
        exec("found = names(_)", namespace)
        assert namespace["found"] == ["thing"]  # of this function, further out
        namespace["loss"] = namespace["_hidden"] = thing
        exec("found = names(_)", namespace)
        assert namespace["found"] == ["loss", "_hidden"]

    @pytest.mark.parametrize("filename", ["/tmp/ipykernel_123/456.py", "<ipython-input-3-0a1b>"])
    def test_the_kernel_around_a_notebooks_cell_is_not_the_users(self, filename):
        the_kernels = object()
        namespace = {"names": names_in_frames, "find": lambda: the_kernels}
        exec(compile("found = names(find())", filename, "exec"), namespace)
        assert namespace["found"] == []
        namespace["mine"] = the_kernels
        exec(compile("def f():\n    return names(find())\nfound = f()", filename, "exec"), namespace)
        assert namespace["found"] == ["mine"]

    def test_nothing_found(self):
        assert names_in_frames(object()) == []

    def test_containers(self):
        ws, params = [object(), object()], {"w": object(), 3: object(), (1, 2): object(), "x" * 50: object()}
        pair = OrderedDict(first=object())
        Out2 = namedtuple("Out2", "loss, rest")
        out = Out2(object(), object())
        assert names_in_frames(ws[1]) == ["ws[1]"]
        assert names_in_frames(params["w"]) == ["params['w']"]
        assert names_in_frames(params[3]) == ["params[3]"]
        assert names_in_frames(params[1, 2]) == names_in_frames(params["x" * 50]) == []
        assert names_in_frames(pair["first"]) == ["pair['first']"]
        assert names_in_frames(out[0]) == ["out.loss"]
        nested = {"layers": [object()], "deeper": [[object()]]}
        assert names_in_frames(nested["layers"][0]) == ["nested['layers'][0]"]
        assert names_in_frames(nested["deeper"][0][0]) == []

    def test_attributes(self):
        class Model:
            def __init__(self):
                self.w = object()
                self.inner = [object()]

            def forward(self):
                return names_in_frames(self.w)

        @dataclass(slots=True)
        class Slotted:
            w: object
            unset: object

        model, slotted = Model(), Slotted(object(), 1)
        del slotted.unset
        assert model.forward() == ["self.w"]
        assert names_in_frames(model.w) == ["model.w"]
        assert names_in_frames(model.inner[0]) == ["model.inner[0]"]
        assert names_in_frames(slotted.w) == ["slotted.w"]

    def test_a_variable_goes_before_an_item(self):
        w = object()
        everything = [w]
        assert names_in_frames(everything[0]) == ["w"]

    def test_modules_name_their_parameters(self):
        class Module:
            def __init__(self, parameters=(), modules=()):
                self._parameters, self._modules, self._buffers = dict(parameters), dict(modules), {"mean": object()}

        def build():
            chain = Module({"weight": object()})
            for _ in range(4):
                chain = Module(modules={"block": chain})
            return Module({"scale": object()}, {"0": Module({"weight": object()}), "chain": chain})

        model = build()
        assert names_in_frames(model._parameters["scale"]) == ["model.scale"]
        assert names_in_frames(model._buffers["mean"]) == ["model.mean"]
        assert names_in_frames(model._modules["0"]._parameters["weight"]) == ["model[0].weight"]

        def is_deepest(candidate):
            blocks = model._modules["chain"]
            while blocks._modules:
                blocks = blocks._modules["block"]
            return candidate is blocks._parameters["weight"]

        assert names_in_frames(None, match=is_deepest) == ["model.chain.block.block.block.block.weight"]

    def test_no_user_code_is_run(self):
        secret = object()
        hostile = Hostile(w=secret)
        hostiles = [Hostile(), hostile]

        class HostileDict(dict):
            items = keys = __iter__ = __getitem__ = __len__ = Hostile.refuse

        class HostileList(list):
            __iter__ = __getitem__ = __len__ = Hostile.refuse

        table, row = HostileDict(v=object()), HostileList([object()])
        assert names_in_frames(secret) == ["secret"]
        wanted = id(secret)
        del secret
        assert names_in_frames(None, match=lambda c: id(c) == wanted) == ["hostile.w"]
        assert names_in_frames(hostiles) == ["hostiles"]
        assert names_in_frames(dict.get(table, "v")) == ["table['v']"]
        assert names_in_frames(list.__getitem__(row, 0)) == ["row[0]"]

    def test_work_is_bounded(self):
        looked_at = []
        heaps = [[[object()] * 50 for _ in range(1000)] for _ in range(20)]  # a million values

        def match(candidate):
            looked_at.append(None)
            return False

        here = sys._getframe()
        scope = len(here.f_locals) + len(here.f_globals)
        code = compile("found = names(None, match=match)", "<bounded>", "exec")
        threading.Thread(target=exec, args=(code, {"names": names_in_frames, "match": match, "heaps": heaps})).start()
        for thread in threading.enumerate():
            if thread is not threading.current_thread():
                thread.join(10)
        assert 1000 < len(looked_at) < 20_000 + scope

    def test_cycles_end(self):
        loop = []
        loop.append(loop)
        node = Hostile()
        object.__getattribute__(node, "__dict__")["me"] = node
        assert names_in_frames(object()) == []

    def test_class_bodies(self):
        class Body:
            thing = object()
            found = names_in_frames(thing)

        assert Body.found == ["thing"]

    def test_looking_does_not_keep_values_alive(self):
        class Value:
            pass

        value = Value()
        gone = weakref.ref(value)
        assert names_in_frames(value) == ["value"]
        del value
        gc.collect()
        assert gone() is None

    def test_looking_does_not_touch_what_locals_gave_the_user(self):
        value = object()
        mine = locals()
        names_in_frames(value)
        assert mine["value"] is value
