"""``nn.Parameter``, as PyTorch has it."""

import copy
import pickle

from both import attempt, both


@both
def test_it_is_a_leaf_on_the_same_memory(torch):
    """
    Parameter containing:
    tensor([1., 2.], requires_grad=True)
    True None True
    Parameter containing:
    tensor([5., 2.], requires_grad=True)
    1 1
    """
    t = torch.tensor([1.0, 2.0])
    p = torch.nn.Parameter(t)
    print(p)
    print(p.is_leaf, p.grad_fn, p.data_ptr() == t.data_ptr())
    t[0] = 5
    print(p)
    print(p._version, t._version)


@both
def test_what_tells_it_from_a_tensor(torch):
    """
    False True True
    True False
    True True True False True
    """
    t = torch.ones(2)
    p = torch.nn.Parameter(t)
    print(isinstance(t, torch.nn.Parameter), isinstance(p, torch.nn.Parameter), isinstance(p, torch.Tensor))
    print(torch.nn.Parameter is torch.nn.parameter.Parameter, torch.nn.Parameter(p) is p)
    print(*[type(x) is torch.Tensor for x in (p * 2, p.data, p.detach(), p.requires_grad_(), p.clone())])


@both
def test_texts(torch):
    """
    Parameter containing:
    tensor([], requires_grad=True)
    Parameter containing:
    tensor([])
    Parameter containing:
    tensor(1.5000, requires_grad=True)
    [Parameter containing:
    tensor([1], dtype=torch.int32)]
    """
    print(torch.nn.Parameter())
    print(torch.nn.Parameter(requires_grad=False))
    print(f"{torch.nn.Parameter(torch.tensor(1.5))}")
    print([torch.nn.Parameter(torch.tensor([1], dtype=torch.int32), requires_grad=False)])


@both
def test_errors(torch):
    """
    AttributeError: 'list' object has no attribute 'detach'...
    RuntimeError: ...nly Tensors of floating point ...dtype can require gradients...
    """
    attempt(torch.nn.Parameter, [1.0, 2.0])
    attempt(torch.nn.Parameter, torch.tensor([1]))


@both
def test_of_a_result_it_is_a_new_leaf(torch):
    """
    True None
    tensor([4., 4.]) None
    """
    x = torch.ones(2, requires_grad=True)
    p = torch.nn.Parameter(x * 2)
    print(p.is_leaf, p.grad_fn)
    (p * p).sum().backward()
    print(p.grad, x.grad)


@both
def test_a_step_of_descent(torch):
    """
    True True
    Parameter containing:
    tensor([0., 0.], requires_grad=True)
    True
    """
    p = torch.nn.Parameter(torch.ones(2))
    (p * p).sum().backward()
    with torch.no_grad():
        q = p.sub_(p.grad * 0.5)
    print(q is p, p.requires_grad)
    print(p)
    print(p.float() is p)


@both
def test_copies(torch):
    """
    True False True None
    True True
    True tensor([1., 1.]) True
    False True
    """
    p = torch.nn.Parameter(torch.ones(2))
    p.sum().backward()
    deep, shallow, back = copy.deepcopy(p), copy.copy(p), pickle.loads(pickle.dumps(p))
    print(type(deep) is torch.nn.Parameter, deep.data_ptr() == p.data_ptr(), deep.requires_grad, deep.grad)
    print(type(shallow) is torch.nn.Parameter, shallow.data_ptr() == p.data_ptr())
    print(type(back) is torch.nn.Parameter, back.detach(), back.requires_grad)
    first, second = copy.deepcopy([p, p])
    print(first is p, first is second)


@both
def test_a_subclass_stays_one(torch):
    """
    True True False
    True
    """

    class Weight(torch.nn.Parameter):
        pass

    w = Weight(torch.ones(2))
    print(type(w) is Weight, isinstance(w, torch.nn.Parameter), isinstance(torch.nn.Parameter(torch.ones(2)), Weight))
    print(type(copy.deepcopy(w)) is Weight)
