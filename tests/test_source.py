"""Places in a program: the user's frame, bytecode positions, texts, on sources that the tests write and run."""

import contextlib
import functools
import linecache
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

import wengert._source
from source_probe import PACKAGE, Run, internal
from wengert._names import operand_texts, result_name
from wengert._source import Location, at, describe, locate, quoted, user_code, user_frame, user_frames

pytestmark = pytest.mark.usefixtures("clean_linecache")


class TestLocate:
    def test_line_columns_function_and_texts(self):
        place = Run("""
            def forward(x):
                y = x ** 2  # square
                return y
            forward(x)
        """).one("pow")
        assert (place.lineno, place.end_lineno, place.col, place.end_col, place.function) == (2, 2, 8, 14, "forward")
        assert str(place) == "program.py:2"
        assert place.source_line() == "y = x ** 2  # square"
        assert place.expression() == "x ** 2"
        assert place.statement() == "y = x ** 2"

    def test_each_operation_of_a_line_has_its_own_place(self):
        run = Run("y = w * x + b ** 2 - (x @ w)")
        texts = {kind: place.expression() for (kind, *_), place in zip(run.log, run.all(), strict=True)}
        assert texts == {
            "mul": "w * x",
            "pow": "b ** 2",
            "add": "w * x + b ** 2",
            "matmul": "x @ w",
            "sub": "w * x + b ** 2 - (x @ w)",
        }

    def test_expression_over_several_lines_is_exact(self):
        place = Run("""
            y = (w  # weight
                 *
                 x)
        """).one("mul")
        assert (place.lineno, place.end_lineno) == (1, 3)
        assert place.expression() == "w  # weight\n     *\n     x"
        assert place.statement() == "y = w * x"
        assert operand_texts(place) == ("w", "x")

    def test_method_chain_over_lines_points_at_each_link(self):
        run = Run("""
            y = (x
                 .exp()
                 .mul(w,
                      2)
                 .T
                 .sum())
        """)
        assert [str(place) for place in run.all()] == [f"program.py:{line}" for line in (2, 3, 5, 6)]
        assert run.one("mul").expression() == "x\n     .exp()\n     .mul(w,\n          2)"
        assert operand_texts(run.one("mul")) == ("x\n     .exp()", "w", "2")
        assert [result_name(place) for place in run.all()] == [None, None, None, "y"]

    def test_columns_count_bytes_and_texts_characters(self):
        place = Run("größe = x; é = größe * w").one("mul")
        assert place.col == len("größe = x; é = ".encode())
        assert place.expression() == "größe * w"
        assert (result_name(place), operand_texts(place)) == ("é", ("größe", "w"))

    def test_nested_calls(self):
        run = Run("y = mod.mul(x.exp(), mod.mul(w, b).log())")
        assert [place.expression() for place in run.all()] == [
            "x.exp()",
            "mod.mul(w, b)",
            "mod.mul(w, b).log()",
            "mod.mul(x.exp(), mod.mul(w, b).log())",
        ]

    def test_loops_comprehensions_generators_and_lambdas(self):
        run = Run("""
            for i in range(2):
                x = x * w
            squares = [v ** 2 for v in (x, w)]
            total = list(v - b for v in squares)
            f = lambda v: -v
            f(x)
        """)
        assert [place.lineno for place in run.all()] == [2, 2, 3, 3, 4, 4, 5]
        assert {place.expression() for place in run.all()} == {"x * w", "v ** 2", "v - b", "-v"}
        assert [result_name(place) for place in run.all()] == ["x", "x", None, None, None, None, None]
        assert run.one("neg").function == "<lambda>"

    def test_deep_offsets(self):
        source = "\n".join(f"y{i} = x * {i}" for i in range(500))
        places = Run(source).all("mul")
        assert [result_name(place) for place in places] == [f"y{i}" for i in range(500)]

    def test_decorators(self):
        run = Run("""
            @x.mul
            def f():
                pass
            def twice(g):
                def wrapper(v):
                    return g(v) * 2
                return wrapper
            @twice
            def h(v):
                return v + 1
            h(x)
        """)
        decorated, add, mul = run.all()
        assert (decorated.lineno, result_name(decorated)) == (1, None)
        assert (add.lineno, add.function, add.expression()) == (10, "h", "v + 1")
        assert (mul.lineno, mul.function, mul.expression()) == (6, "twice.<locals>.wrapper", "g(v) * 2")

    def test_operations_python_calls_by_itself(self):
        run = Run("""
            for row in x:
                pass
            rows = [r for r in w]
            if x > w:
                pass
            with b as c:
                pass
            t = f"{x}"
            p, q = x
        """)
        loop, comprehension = run.all("iter")[0], run.all("iter")[2]
        assert (loop.expression(), operand_texts(loop), result_name(loop)) == ("x", ("x",), "row")
        assert (comprehension.expression(), result_name(comprehension)) == ("w", "r")
        assert run.one("bool").expression() == "x > w"
        assert run.one("enter").expression() == "b"
        assert run.one("format").expression() == "x"
        unpacked = run.all("iter")[-1]
        assert (result_name(unpacked, 0), result_name(unpacked, 1), result_name(unpacked)) == ("p", "q", None)
        assert operand_texts(unpacked) == ("x",)

    def test_threads(self):
        source = "def work(v):\n    return v * 2\n"
        run = Run(source)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(run.namespace["work"], [run.namespace["x"]] * 50))
        assert {str(place) for place in run.all()} == {"program.py:2"}
        assert len(run.log) == 50

    @pytest.mark.parametrize("lasti", [-1, 10**9])
    def test_no_such_instruction(self, lasti):
        assert locate(compile("x = 1", "f.py", "exec"), lasti) is None

    def test_frozen_and_compared_by_place(self):
        place = Run("y = x ** 2", "<cell 1>").one("pow")
        assert place == Location("<cell 1>", 1, 1, 4, 10, "<module>")
        with pytest.raises(FrozenInstanceError):
            place.lineno = 2


class TestWithoutSource:
    def test_everything_but_the_place_is_none(self):
        place = Run("y = x ** 2", keep_source=False).one("pow")
        assert str(place) == "program.py:1"
        assert [place.source_line(), place.expression(), place.statement()] == [None] * 3
        assert [result_name(place), operand_texts(place)] == [None, None]
        assert describe("PowBackward0", place) == "PowBackward0 (program.py:1)"

    def test_columns_left_out(self):
        source = "y = x * w\n"
        linecache.cache["f.py"] = (len(source), None, [source], "f.py")
        place = Location("f.py", 1, 1, None, None, "<module>")
        assert (place.expression(), place.statement(), result_name(place), operand_texts(place)) == (None,) * 4
        assert place.source_line() == "y = x * w"
        assert describe("MulBackward0", place) == "MulBackward0 (f.py:1)"

    def test_source_that_is_not_python_any_more(self):
        place = Run("y = x ** 2").one("pow")
        linecache.cache[place.filename] = (9, None, ["y = = x ** 2\n"], place.filename)
        assert (result_name(place), operand_texts(place), place.statement()) == (None, None, None)

    def test_source_that_has_become_shorter(self):
        place = Run("\n\n\ny = x ** 2").one("pow")
        linecache.cache[place.filename] = (9, None, ["y = 1\n"], place.filename)
        assert (place.source_line(), place.expression(), result_name(place)) == (None, None, None)

    def test_source_with_something_else_at_the_place(self):
        place = Run("y = x ** 2").one("pow")
        linecache.cache[place.filename] = (9, None, ["yy = xx ** 2\n"], place.filename)
        assert (result_name(place), operand_texts(place)) == (None, None)

    def test_too_deeply_nested_to_parse(self):
        place = Run("y = x ** 2").one("pow")
        deep = "y = x ** 2\nz = " + "(" * 5000 + ")" * 5000 + "\n"
        linecache.cache[place.filename] = (9, None, deep.splitlines(keepends=True), place.filename)
        assert (place.expression(), result_name(place)) == ("x ** 2", None)

    @pytest.mark.parametrize("name", ["<string>", "<stdin>"])
    def test_a_name_that_many_texts_share_is_not_trusted(self, name):
        place = Run("y = x ** 2", name).one("pow")
        assert (str(place), place.expression()) == (f"{name}, line 1", None)

    def test_file_on_disk_is_read_again_after_a_change(self, tmp_path):
        file = tmp_path / "edited.py"
        file.write_text("y = x ** 2\n")
        place = Location(str(file), 1, 1, 4, 10, "<module>")
        assert result_name(place) == "y"
        file.write_text("result = 1  # longer than before\n")
        assert place.source_line() == "result = 1  # longer than before"
        assert result_name(place) is None

    def test_prompt_that_keeps_sources_by_code_object(self, monkeypatch):
        run = Run("y = x ** 2", "<python-input-7>", keep_source=False)
        kept = {run.log[0][1]: ["y = x ** 2\n"]}
        monkeypatch.setattr(linecache, "_getlines_from_code", lambda code: kept.get(code, []), raising=False)
        assert result_name(run.one("pow")) == "y"


class TestShortText:
    @pytest.mark.parametrize(
        ("filename", "text"),
        [
            ("/home/user/train.py", "train.py:2"),
            ("train.py", "train.py:2"),
            ("/home/user/net/__init__.py", os.path.join("net", "__init__.py:2")),
            ("<ipython-input-3-0123456789ab>", "cell 3, line 2"),
            ("<cell 3>", "cell 3, line 2"),
            ("/tmp/ipykernel_4711/123456789.py", "notebook cell, line 2"),
            ("<stdin>", "<stdin>, line 2"),
            ("<stdin>-4", "<stdin>, line 2"),
            ("<python-input-4>", "<stdin>, line 2"),
            ("<string>", "<string>, line 2"),
            ("<doctest net.Layer[0]>", "<doctest net.Layer[0]>, line 2"),
            ("", ":2"),
        ],
    )
    def test_file_names(self, filename, text):
        assert str(Location(filename, 2, 2, 0, 1, "f")) == text

    def test_jupyter_knows_the_number_of_a_cell(self, monkeypatch):
        class Compiler:
            def format_code_name(self, name):
                return ("Cell", "In[5]") if name.endswith("42.py") else None

        class Shell:
            compile = Compiler()

        class IPython:
            get_ipython = staticmethod(Shell)

        monkeypatch.setitem(sys.modules, "IPython", IPython)
        assert str(Location("/tmp/ipykernel_1/42.py", 2, 2, 0, 1, "f")) == "cell 5, line 2"
        assert str(Location("/tmp/ipykernel_1/43.py", 2, 2, 0, 1, "f")) == "notebook cell, line 2"

    @pytest.mark.parametrize("filename", ["<cell 3>", "<ipython-input-3-0123456789ab>", "/tmp/ipykernel_1/42.py"])
    def test_cells_have_their_source(self, filename):
        place = Run("a = 1\ny = x ** 2", filename).one("pow")
        assert (place.lineno, place.source_line(), result_name(place)) == (2, "y = x ** 2", "y")


class TestUserFrame:
    def test_the_caller_is_user_code(self):
        assert user_frame() is sys._getframe()
        code, lasti = user_code()
        assert code is sys._getframe().f_code
        assert locate(code, lasti).expression() == "user_code()"

    def test_frames_of_the_package_are_passed_over(self):
        deep = internal(
            """
            def down(n, find):
                return down(n - 1, find) if n else find()
            """.replace("\n            ", "\n"),
            os.path.join("ops", "deep.py"),
        )["down"]
        assert deep(50, user_frame) is sys._getframe()
        assert deep(50, user_code)[0] is sys._getframe().f_code
        assert deep(50, functools.partial(user_code, 40))[0] is sys._getframe().f_code

    def test_a_folder_whose_name_only_begins_like_the_package_is_the_users(self):
        source = "def f(find):\n    return find()\n"
        namespace = {}
        exec(compile(source, PACKAGE + "_extras/f.py", "exec"), namespace)
        assert namespace["f"](user_frame).f_code is namespace["f"].__code__

    def test_pythons_library_is_passed_over(self):
        probe = internal("from wengert._source import user_code\ndef op(*args):\n    return user_code()\n")["op"]

        @contextlib.contextmanager
        def scope():
            yield probe()

        enter = internal(
            "import contextlib\n"
            "from wengert._source import user_code\n"
            "@contextlib.contextmanager\n"
            "def scope():\n"
            "    yield user_code()\n"
        )["scope"]
        with enter() as (code, _):
            assert code is sys._getframe().f_code
        assert functools.reduce(probe, [1, 2])[0] is sys._getframe().f_code
        with scope() as (code, _):
            assert code.co_name == "scope"

    def test_numpy_is_passed_over(self):
        found = []
        op = internal(
            "from wengert._source import user_code\ndef op(row):\n    found.append(user_code()); return 0", found=found
        )
        np.apply_along_axis(op["op"], 0, np.zeros((3, 2)))
        assert [code for code, _ in found] == [sys._getframe().f_code] * 2

    def test_installed_packages_are_user_code(self):
        folder = os.path.join(os.path.dirname(os.__file__), "site-packages", "someones")
        namespace = {}
        exec(compile("def f(find):\n    return find()\n", os.path.join(folder, "f.py"), "exec"), namespace)
        assert namespace["f"](user_frame).f_code is namespace["f"].__code__

    def test_thread_without_user_code(self):
        found = []
        op = internal("from wengert._source import user_code\ndef op(found):\n    found.append(user_code())\n")["op"]
        thread = threading.Thread(target=op, args=(found,))
        thread.start()
        thread.join()
        assert str(locate(*found[0])).startswith("threading.py:")

    def test_frames_outwards(self):
        def here():
            return [frame.f_code.co_name for frame in user_frames(sys._getframe())]

        assert here()[:2] == ["here", "test_frames_outwards"]

    def test_many_file_names_do_not_fill_memory(self, monkeypatch):
        monkeypatch.setattr(wengert._source, "_MAX_FILES", 20)
        for i in range(100):
            namespace = {"user_code": user_code}
            exec(compile("found = user_code()", f"<generated {i}>", "exec"), namespace)
            assert namespace["found"][0].co_filename == f"<generated {i}>"
            assert len(wengert._source._passed_over) <= 20


class TestPieces:
    def test_at(self):
        assert f"changed in place{at(Location('train.py', 15, 15, 0, 6, 'f'))}." == "changed in place at train.py:15."
        assert f"changed in place{at(None)}." == "changed in place."

    def test_quoted(self):
        assert quoted("w", "a tensor") == "`w`"
        assert quoted(None, "a tensor of shape [3]") == "a tensor of shape [3]"

    def test_describe(self):
        run = Run("""
            y = w * x
            if x > w:
                pass
            z = x.exp() + x.log() - w.exp() - w.log() - w.sqrt() - b.exp() - b.log()
            z = (x
                 @ w)
        """)
        assert describe("MulBackward0", run.one("mul")) == "MulBackward0 (program.py:1, `y = w * x`)"
        assert describe("Gt", run.one("gt")) == "Gt (program.py:2, `x > w`)"
        assert describe("LogBackward0", run.all("log")[0]) == "LogBackward0 (program.py:4, `x.log()`)"
        assert describe("SubBackward0", run.all("sub")[-1]) == "SubBackward0 (program.py:4)"
        assert describe("MmBackward0", run.one("matmul")) == "MmBackward0 (program.py:5, `z = x @ w`)"
        assert describe("MulBackward0", None) == "MulBackward0"

    def test_a_whole_message(self):
        run = Run("\n" * 11 + "y = w * x\n\n\nw.add_(1)")
        node, write = run.one("mul"), run.one("add_")
        name = quoted(operand_texts(node)[0], "its input 0")
        assert (
            f"{describe('MulBackward0', node)} needs {name}, which was changed in place{at(write)}. "
            f"Use an out-of-place op there, or clone it before line {node.lineno}."
        ) == (
            "MulBackward0 (program.py:12, `y = w * x`) needs `w`, which was changed in place at program.py:15. "
            "Use an out-of-place op there, or clone it before line 12."
        )
