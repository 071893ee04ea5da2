"""Short programs as PyTorch's users write them, on both libraries: one case for each difference that was once found."""

import numpy as np

from both import attempt, both


@both
def test_constants(torch):
    """
    inf nan tensor([0.0000, 3.1416]) 2.718281828459045 torch.Size([2, 1])
    """
    print(torch.inf, torch.nan, torch.tensor([0.0, torch.pi]), torch.e, torch.ones(2)[:, torch.newaxis].shape)


@both
def test_where_between_two_equal_numbers_has_the_default_dtype(torch):
    """
    tensor([2.5000, 2.5000])
    tensor([1., 1.], dtype=torch.float64)
    """
    mask, number = torch.tensor([True, False]), 2.5
    print(torch.where(mask, number, number))
    one = torch.ones(2, dtype=torch.float64)
    print(torch.where(mask, one, one))


@both
def test_requires_grad_takes_a_bool_only(torch):
    """
    RuntimeError: requires_grad must be a bool...
    TypeError: requires_grad_(): argument 'requires_grad' (position 1) must be bool, not str
    True
    """
    x = torch.ones(2, requires_grad=True)
    attempt(setattr, x, "requires_grad", None)
    attempt(x.requires_grad_, "no")
    print(x.requires_grad)


@both
def test_none_in_place_of_tensors_is_an_error(torch):
    """
    TypeError: ...
    TypeError: ...
    """
    x = torch.ones(2, requires_grad=True)
    attempt(torch.autograd.grad, x.sum(), None)
    attempt(torch.autograd.backward, None)


@both
def test_a_function_names_itself_when_it_is_given_an_array(torch):
    """
    TypeError: add(): argument 'other' (position 2) must be Tensor, not numpy.ndarray...
    """
    attempt(torch.add, torch.ones(2), np.ones(2))


@both
def test_newton_with_two_walks_back(torch):
    """
    tensor(1.4142, dtype=torch.float64, requires_grad=True)
    """
    x = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    for _ in range(6):
        (slope,) = torch.autograd.grad(x**3 / 3 - 2 * x, x, create_graph=True)
        (curvature,) = torch.autograd.grad(slope, x)
        x = (x - slope / curvature).detach().requires_grad_()
    print(x)


@both
def test_recurrence_with_detached_state(torch):
    """
    tensor([[0.2179]])
    tensor([[0.2997]])
    """
    weight, state = torch.tensor([[0.5]], requires_grad=True), torch.full((1, 1), 0.25)
    for _ in range(2):
        state = torch.tanh(state.detach() @ weight + 0.25)
        state.sum().backward()
        print(weight.grad)
        weight.grad = None


@both
def test_gradient_penalty_through_the_gradient(torch):
    """
    tensor(0.1716, grad_fn=<MeanBackward0>)
    tensor([0.5858, 0.5858])
    """
    weight = torch.tensor([1.0, 1.0], requires_grad=True)
    points = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    (slope,) = torch.autograd.grad((points @ weight).sum(), points, create_graph=True)
    penalty = ((slope.norm(2, dim=1) - 1) ** 2).mean()
    penalty.backward()
    print(penalty)
    print(weight.grad)


@both
def test_targets_of_binary_cross_entropy_are_probabilities(torch):
    """
    RuntimeError: all elements of target should be between 0 and 1...
    """
    attempt(torch.nn.functional.binary_cross_entropy, torch.tensor([0.5]), torch.tensor([2.0]))
