"""What programs ask about compilation."""

import wengert


def test_a_function_can_ask_whether_it_is_traced():
    seen = []

    @wengert.compile
    def f(x):
        seen.append(wengert.compiler.is_compiling())
        return x + 1

    assert f(wengert.ones(2)).tolist() == [2.0, 2.0]
    assert (seen, wengert.compiler.is_compiling(), wengert.compiler.is_dynamo_compiling()) == ([True], False, False)
    assert wengert.compiler.is_exporting() is False


def test_disable_is_no_obstacle():
    @wengert.compiler.disable(recursive=False, reason="a test")
    def inner(x):
        return x * 2

    assert wengert.compile(lambda x: inner(x) + 1)(wengert.ones(1)).item() == 3
    assert wengert.compiler.disable(inner) is inner


def test_what_needs_nothing():
    wengert.compiler.reset()
    wengert.compiler.cudagraph_mark_step_begin()
    assert wengert.compiler.list_backends() == ["inductor"]
