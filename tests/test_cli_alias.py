"""`import torch` answered by wengert: what is there, what is not, and that nothing stays behind."""

import subprocess
import sys
import textwrap
from pathlib import Path


def in_a_process(program: str, cwd: Path | None = None) -> str:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=cwd,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_form_of_import_is_answered() -> None:
    printed = in_a_process("""
        import wengert, wengert.interop.torch
        wengert.interop.torch.install()
        import torch
        import torch.nn.functional as F
        import torch.autograd.graph
        from torch import nn, Tensor, autograd
        from torch.autograd import Function
        from torch import *
        print(torch.tensor is wengert.tensor is tensor, Tensor is wengert.Tensor, Function is wengert.autograd.Function)
        print(nn.functional is F, torch.nn is nn, torch.autograd is autograd, F.relu is wengert.nn.functional.relu)
        print(torch.__version__ == wengert.__version__, torch.__name__, torch.nn.functional.__name__)
        print(torch)
    """)
    assert printed.splitlines() == [
        "True True True",
        "True True True True",
        "True torch torch.nn.functional",
        "<module 'torch' answered by 'wengert'>",
    ]


def test_submodules_are_there_without_an_import_as_in_pytorch() -> None:
    printed = in_a_process("""
        import wengert.interop.torch
        wengert.interop.torch.install()
        import torch
        print(torch.autograd.function.once_differentiable, torch.distributions.constraints.positive)
        print(torch.utils.data.sampler.BatchSampler, torch.nn.modules.batchnorm.BatchNorm1d)
        print(hasattr(torch.nn, "nothing"), hasattr(torch, "program"), hasattr(torch.autograd, "api_"))
        import torch.backends.cudnn as cudnn
        cudnn.benchmark = True
        with cudnn.flags(enabled=False): print(torch.backends.cudnn.benchmark, cudnn.version())
    """)
    assert "False False False" in printed
    assert printed.endswith("True None\n")


def test_names_with_an_underscore_that_programs_import() -> None:
    printed = in_a_process("""
        import wengert.interop.torch
        wengert.interop.torch.install()
        from torch import nn
        from torch.nn.init import _calculate_fan_in_and_fan_out
        from torch.nn.modules.batchnorm import _BatchNorm
        from torch.nn.modules.conv import _ConvNd
        from torch.nn.modules.loss import _Loss, _WeightedLoss
        from torch.nn.modules.utils import _ntuple, _pair
        from torch.optim.lr_scheduler import _LRScheduler
        from torch.utils.data.dataloader import default_collate
        print(_calculate_fan_in_and_fan_out(nn.Conv2d(2, 3, 5).weight), _pair(3), _pair([1, 2]), _ntuple(4)(0))
        print(isinstance(nn.Conv2d(1, 1, 1), _ConvNd), isinstance(nn.BatchNorm2d(1), _BatchNorm))
        import torch
        import torch.utils._pytree as pytree
        from torch.types import Device, Number, _dtype
        from torch.utils._pytree import tree_map
        print(tree_map(lambda x: x + 1, {"a": [1]}), pytree.tree_leaves(1), torch.utils._pytree is pytree)
        print(_dtype is torch.dtype, isinstance(2.0, Number), isinstance("cpu", Device))
    """)
    assert printed.splitlines() == [
        "(50, 75) (3, 3) (1, 2) (0, 0, 0, 0)",
        "True True",
        "{'a': [2]} [1] True",
        "True True True",
    ]


def test_names_that_are_missing_say_so() -> None:
    printed = in_a_process("""
        import wengert.interop.torch
        wengert.interop.torch.install()
        import torch
        for statement in (
            "torch.no_such_name",
            "torch.nn.no_such_name",
            "from torch import no_such_name",
            "from torch.nn import no_such_name",
            "import torch.no_such_module",
            "from torch.no_such_module.deeper import name",
            "import torch.engine",
            "torch.ops",
        ):
            try:
                exec(statement)
            except (AttributeError, ImportError) as error:
                print(type(error).__name__, error)
        print(hasattr(torch, "no_such_name"), hasattr(torch, "__no_such__"))
    """)
    assert printed.splitlines() == [
        "AttributeError wengert has no torch.no_such_name yet",
        "AttributeError wengert has no torch.nn.no_such_name yet",
        "ModuleNotFoundError wengert has no torch.no_such_name yet",
        "ModuleNotFoundError wengert has no torch.nn.no_such_name yet",
        "ModuleNotFoundError wengert has no torch.no_such_module yet",
        "ModuleNotFoundError wengert has no torch.no_such_module yet",
        "ModuleNotFoundError wengert has no torch.engine yet",
        "AttributeError wengert has no torch.ops yet",
        "False False",
    ]


def test_a_torch_that_is_already_imported_is_refused(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("name = 'the real one'\n")
    printed = in_a_process(
        """
        import sys
        sys.path.insert(0, "")
        import torch
        import wengert.interop.torch as alias
        try:
            alias.install()
        except ImportError as error:
            print(error)
        print(alias.installed(), torch.name)
        alias.uninstall()
        import torch
        print(torch.name)
        """,
        cwd=tmp_path,
    )
    message, *rest = printed.splitlines()
    assert message.startswith("cannot answer `import torch` with wengert: a module named torch is already imported")
    assert str(tmp_path) in message
    assert rest == ["False the real one", "the real one"]


def test_uninstalling_lets_the_real_torch_back_in(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("name = 'the real one'\n")
    printed = in_a_process(
        """
        import sys
        sys.path.insert(0, "")
        import wengert.interop.torch as alias
        alias.install()
        alias.install()
        import torch, torch.nn
        print(torch.tensor(1.0))
        alias.uninstall()
        alias.uninstall()
        print([name for name in sys.modules if name.startswith("torch")])
        import torch
        print(torch.name)
        """,
        cwd=tmp_path,
    )
    assert printed.splitlines() == ["tensor(1.)", "[]", "the real one"]


def test_nothing_is_answered_unless_asked() -> None:
    printed = in_a_process("""
        import sys, wengert, wengert.interop.torch as alias
        print(alias.installed(), [name for name in sys.modules if name.startswith("torch")])
    """)
    assert printed == "False []\n"


def test_a_block_ends_the_answering_also_after_an_error() -> None:
    printed = in_a_process("""
        import sys, wengert.interop.torch as alias
        try:
            with alias.answering_torch():
                import torch
                print(alias.installed(), torch.zeros(1))
                1 / 0
        except ZeroDivisionError:
            print(alias.installed(), "torch" in sys.modules)
    """)
    assert printed == "True tensor([0.])\nFalse False\n"


def test_a_block_within_a_block_does_not_end_it() -> None:
    printed = in_a_process("""
        import wengert.interop.torch as alias
        with alias.answering_torch():
            with alias.answering_torch():
                pass
            print(alias.installed())
        print(alias.installed())
    """)
    assert printed == "True\nFalse\n"


def test_every_public_name_is_there() -> None:
    printed = in_a_process("""
        import wengert, wengert.interop.torch as alias
        alias.install()
        import torch
        theirs = sorted(set(wengert.__all__) - set(wengert._LATER))  # without what PyTorch does not have
        print([name for name in theirs if not hasattr(torch, name)], dir(torch) == theirs)
    """)
    assert printed == "[] True\n"
