"""Anomaly mode: it stops at the first NaN and names the operation and its line."""

import pytest

import wengert
from both import attempt, both, warned


@both
def test_nan_is_an_error(torch):
    """
    RuntimeError: Function 'SqrtBackward0' returned nan values in its 0th output...
    None False
    """
    x = torch.tensor([0.0, 1.0], requires_grad=True)

    def run():
        with torch.autograd.detect_anomaly():
            y = (x.sqrt() * 0).sum()
            y.backward()

    def quiet():
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            run()

    attempt(quiet)
    print(x.grad, torch.is_anomaly_enabled())


@both
def test_switching(torch):
    """
    False True
    True False
    tensor([nan, 0.])
    False True
    True
    False
    False
    """
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        print(torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled())
        with torch.autograd.set_detect_anomaly(True, check_nan=False):
            print(torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled())
            x = torch.tensor([0.0, 1.0], requires_grad=True)
            (x.sqrt() * 0).sum().backward()
            print(x.grad)
        print(torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled())
        torch.autograd.set_detect_anomaly(True)
        print(torch.is_anomaly_enabled())
        torch.autograd.set_detect_anomaly(False)
        print(torch.is_anomaly_enabled())
        with torch.autograd.detect_anomaly(check_nan=False):
            print(torch.is_anomaly_check_nan_enabled())


@both
def test_nan_of_a_function_is_found(torch):
    """
    RuntimeError: Function 'BadBackward' returned nan values in its 0th output...
    RuntimeError: Function 'BadBackward' returned nan values in its 0th output...
    None
    """
    import warnings

    class Bad(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * float("nan")

    x = torch.tensor([0.0, 1.0], requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with torch.autograd.detect_anomaly():
            attempt(Bad.apply(x).sum().backward)
            attempt(torch.autograd.grad, Bad.apply(x).sum(), x)
    print(x.grad)


@both
def test_infinity_is_no_anomaly(torch):
    """
    tensor([   inf, 0.5000])
    """
    import warnings

    x = torch.tensor([0.0, 1.0], requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with torch.autograd.detect_anomaly():
            x.sqrt().sum().backward()
    print(x.grad)


@both
def test_a_block_warns_and_setting_does_not(torch):
    """
    UserWarning True
    0
    """
    import warnings

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with torch.autograd.detect_anomaly():
            pass
        print(caught[0].category.__name__, str(caught[0].message).startswith("Anomaly Detection has been enabled. "))
        del caught[:]
        with torch.autograd.set_detect_anomaly(True):
            pass
        print(len(caught))


def test_message_names_operation_and_line() -> None:
    x = wengert.tensor([0.0, 1.0], requires_grad=True)
    with wengert.autograd.set_detect_anomaly(True):
        root = x.sqrt()
        loss = (root * 0).sum()
        with pytest.raises(RuntimeError) as caught:
            loss.backward()
    text = str(caught.value)
    assert text.startswith("Function 'SqrtBackward0' returned nan values in its 0th output.")
    assert "root = x.sqrt()" in text
    assert "test_autograd_anomaly.py:" in text


def test_no_warning_and_no_second_forward() -> None:
    x = wengert.tensor([4.0], requires_grad=True)
    with wengert.autograd.set_detect_anomaly(True):
        warned(x.sqrt().sum().backward)
    assert x.grad.item() == 0.25
