"""What can be seen of the graph: requires_grad, is_leaf, grad_fn, next_functions, saved values, retain_grad, edges."""

from both import attempt, both, names, warned


@both
def test_leaves_and_results(torch):
    """
    False True True 0
    True True True 0
    True False False 0
    False True True 0
    False True True 0
    False True True 0
    True False False 0
    """
    x = torch.ones(2)
    w = torch.ones(2, requires_grad=True)
    y = x * w
    for t in (x, w, y, x * 2, y.detach(), w.data, y.sum()):
        print(t.requires_grad, t.is_leaf, t.grad_fn is None, t.output_nr)


@both
def test_requires_grad_can_be_set(torch):
    """
    True True
    False False
    True
    RuntimeError: you can only change requires_grad flags of leaf variables. If you want to use a comput...
    RuntimeError: only Tensors of floating point dtype can require gradients...
    RuntimeError: Only Tensors of floating point and complex dtype can require gradients...
    RuntimeError: Only Tensors of floating point and complex dtype can require gradients...
    tensor([1, 1])
    RuntimeError: Only Tensors of floating point and complex dtype can require gradients...
    RuntimeError: Only Tensors of floating point and complex dtype can require gradients...
    RuntimeError: you can only change requires_grad flags of leaf variables. If you want to use a comput...
    True
    """
    x = torch.ones(2)
    print(x.requires_grad_() is x, x.requires_grad)
    x.requires_grad = False
    print(x.requires_grad, x.requires_grad_(False).requires_grad)
    x.requires_grad_(True)
    y = x * 2
    print(y.requires_grad_().requires_grad)
    attempt(y.requires_grad_, False)
    attempt(torch.ones(2, dtype=torch.int64).requires_grad_)
    attempt(lambda: torch.tensor([1, 2], requires_grad=True))
    attempt(lambda: torch.tensor([True], requires_grad=True))
    print(torch.ones(2, dtype=torch.int64).requires_grad_(False))
    attempt(lambda: torch.arange(3, requires_grad=True))
    attempt(lambda: torch.zeros(3, dtype=torch.int32, requires_grad=True))
    attempt(setattr, y, "requires_grad", False)
    z = torch.ones(2, dtype=torch.complex64, requires_grad=True)
    print(z.requires_grad)


@both
def test_names_of_nodes(torch):
    """
        AddBackward0 RsubBackward1 MulBackward0 MulBackward0 DivBackward0 NegBackward0 PowBackward0 PowBackward2
    PowBackward1 ExpBackward0 LogBackward0 SinBackward0 SumBackward0 SumBackward1 MeanBackward0 MeanBackward1
    ProdBackward0 MaxBackward1 MaxBackward0 MinBackward0 ViewBackward0 ViewBackward0 SelectBackward0 SliceBackward0
    IndexBackward0 UnsqueezeBackward0 TBackward0 TBackward0 TransposeBackward0 PermuteBackward0 MvBackward0 MmBackward0
    DotBackward0 MvBackward0 DotBackward0 CloneBackward0 AbsBackward0 ReluBackward0 SigmoidBackward0 TanhBackward0
    SoftmaxBackward0 LogSoftmaxBackward0 CatBackward0 StackBackward0 ExpandBackward0 WhereBackward0 ClampBackward1
    UnbindBackward0 SplitBackward0 DiagonalBackward0 ToCopyBackward0 LinalgVectorNormBackward0 SqrtBackward0
    CumsumBackward0 ViewBackward0
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    m = torch.ones(2, 2, requires_grad=True)
    results = [
        x + 1,
        1 - x,
        x * x,
        2 / x,
        x / 2,
        -x,
        x**2,
        2**x,
        x**x,
        x.exp(),
        x.log(),
        x.sin(),
        x.sum(),
        x.sum(0),
        x.mean(),
        x.mean(0),
        x.prod(),
        x.max(),
        x.max(0)[0],
        x.min(0).values,
        x.reshape(2, 1),
        x.view(1, 2),
        x[0],
        x[0:1],
        x[[0]],
        x.unsqueeze(0),
        x.t(),
        m.t(),
        m.transpose(0, 1),
        m.permute(1, 0),
        m @ x,
        m @ m,
        x @ x,
        m.mv(x),
        x.dot(x),
        x.clone(),
        x.abs(),
        x.relu(),
        x.sigmoid(),
        x.tanh(),
        x.softmax(0),
        x.log_softmax(0),
        torch.cat([x, x]),
        torch.stack([x, x]),
        x.expand(3, 2),
        torch.where(x > 1, x, 0),
        x.clamp(0, 1),
        x.unbind()[1],
        m.split(1)[0],
        m.diagonal(),
        x.double(),
        x.norm(),
        x.sqrt(),
        x.cumsum(0),
        m.flatten(),
    ]
    print(" ".join([r.grad_fn.name() for r in results]))


@both
def test_next_functions(torch):
    """
    MulBackward0(SumBackward0(AddBackward0(MulBackward0(AccumulateGrad, AccumulateGrad), None)), None)
    MulBackward0(UnbindBackward0(AccumulateGrad), UnbindBackward0(AccumulateGrad).1)
    1 1
    True True
    MulBackward0(AccumulateGrad, None) MulBackward0(None, AccumulateGrad)
    SubBackward0(AccumulateGrad, None) RsubBackward1(AccumulateGrad)
    WhereBackward0(AccumulateGrad, None)
    """
    x = torch.tensor(2.0, requires_grad=True)
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    y = (x * w + 1).sum() * 3.0
    print(names(y.grad_fn))
    a, b = w.unbind()
    print(names((a * b).grad_fn))
    print((a * b).grad_fn.next_functions[1][1], b.output_nr)
    print((a * b).grad_fn.next_functions[0][0] is (b + 1).grad_fn.next_functions[0][0], a.grad_fn is b.grad_fn)
    print(names((w * torch.ones(2)).grad_fn), names((torch.ones(2) * w).grad_fn))
    print(names((w - 1).grad_fn), names((1 - w).grad_fn))
    print(names(torch.where(w > 1, w, 0).grad_fn))


@both
def test_accumulate_grad_knows_its_variable(torch):
    """
    AccumulateGrad AccumulateGrad True ()
    True
    """
    x = torch.tensor(2.0, requires_grad=True)
    node = (x * 3).grad_fn.next_functions[0][0]
    print(type(node).__name__, node.name().removeprefix("torch::autograd::"), node.variable is x, node.next_functions)
    print((x * x).grad_fn.next_functions[0][0] is (x + 1).grad_fn.next_functions[0][0])


@both
def test_grad_fn_is_the_same_object(torch):
    """
    True True
    True MulBackward0
    AttributeError: ...
    AttributeError: ...
    """
    x = torch.tensor(2.0, requires_grad=True)
    y = x * 3
    print(y.grad_fn is y.grad_fn, (y + 1).grad_fn.next_functions[0][0] is y.grad_fn)
    print(isinstance(y.grad_fn, torch.autograd.graph.Node), type(y.grad_fn).__name__)
    attempt(setattr, y, "grad_fn", None)
    attempt(setattr, y, "is_leaf", True)


@both
def test_saved_values(torch):
    """
    None tensor([3., 4.])
    True 3
    tensor([2.7183, 7.3891], grad_fn=<ExpBackward0>) True
    RuntimeError: Trying to backward through the graph a second time (or directly access saved tensors a...
    AttributeError: 'SumBackward1' object has no attribute '_saved_nothing'...
    True MulBackward0 True
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    w = torch.tensor([3.0, 4.0])
    y = x * w
    print(y.grad_fn._saved_self, y.grad_fn._saved_other)
    y = x**3
    print(y.grad_fn._saved_self is x, y.grad_fn._saved_exponent)
    y = x.exp()
    print(y.grad_fn._saved_result, y.grad_fn._saved_result.grad_fn is y.grad_fn)
    y.sum().backward()
    attempt(lambda: y.grad_fn._saved_result)
    y = x.sum(0)
    attempt(lambda: y.grad_fn._saved_nothing)
    y = (x * 2) * x
    print(y.grad_fn._saved_self.requires_grad, y.grad_fn._saved_self.grad_fn.name(), y.grad_fn._saved_other is x)


@both
def test_saved_value_that_was_changed(torch):
    """
    RuntimeError: one of the variables needed for gradient computation has been modified by an inplace o...
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    w = torch.tensor([3.0, 4.0])
    y = x * w
    w.add_(1)
    attempt(lambda: y.grad_fn._saved_other)


@both
def test_retain_grad(torch):
    """
    False False
    True False
    tensor(3.) tensor(12.)
    tensor(6.) tensor(24.)
    RuntimeError: can't retain_grad on Tensor that has requires_grad=False...
    tensor(1.)
    """
    x = torch.tensor(2.0, requires_grad=True)
    y = x * x
    print(y.retains_grad, x.retains_grad)
    y.retain_grad()
    y.retain_grad()
    x.retain_grad()
    print(y.retains_grad, x.retains_grad)
    (y * 3).backward(retain_graph=True)
    print(y.grad, x.grad)
    (y * 3).backward()
    print(y.grad, x.grad)
    attempt(torch.ones(1).retain_grad)
    z = x * 2
    z.retain_grad()
    z.backward()
    print(z.grad)


@both
def test_retained_grad_is_a_tensor_of_its_own(torch):
    """
    tensor([1., 1.])
    """
    x = torch.ones(2, requires_grad=True)
    y = x * 1
    y.retain_grad()
    (y * 1).sum().backward()
    y.grad.zero_()
    print(x.grad)


@both
def test_retain_grad_of_several_results(torch):
    """
    UserWarning: The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad ...
    tensor(2.) None tensor([2., 1.])
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    a, b = x.unbind()
    a.retain_grad()
    (a * b).backward()
    print(a.grad, warned(lambda: b.grad), x.grad)


@both
def test_grad_of_a_result_warns(torch):
    """
    UserWarning: The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad ...
    None
    tensor(2.)
    None
    tensor(5.)
    """
    x = torch.tensor(2.0, requires_grad=True)
    y = x * 2
    y.backward()
    print(warned(lambda: y.grad))
    print(warned(lambda: x.grad))
    print(warned(lambda: y.detach().grad))
    z = x * 2
    z.grad = torch.tensor(5.0)
    print(warned(lambda: z.grad))


@both
def test_grad_of_a_result_with_create_graph(torch):
    """
    tensor(192.) True
    """
    x = torch.tensor(2.0, requires_grad=True)
    y = x**3
    y.retain_grad()
    z = y * y
    (g,) = torch.autograd.grad(z, x, create_graph=True)
    print(g.detach(), y.grad.requires_grad)


@both
def test_gradient_edges(torch):
    """
    True 0
    True 0
    True 1
    (tensor([16.,  8.]), tensor([32., 32.]), tensor(8.), tensor(16.))
    (tensor(8.),)
    (tensor([32., 32.]),)
    (tensor([32., 32.]),)
    tensor([32., 32.])
    tensor([96., 96.])
    RuntimeError: It is not possible to get the gradient edge for a Tensor that does not require gradien...
    RuntimeError: The differentiated Tensor at index 0 appears to not have been used in the graph. Set a...
    (None,)
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * x
    edge = torch.autograd.graph.get_gradient_edge(y)
    print(edge.node is y.grad_fn, edge.output_nr)
    leaf = torch.autograd.graph.get_gradient_edge(x)
    print(leaf.node.variable is x, leaf.output_nr)
    a, b = y.unbind()
    second = torch.autograd.graph.get_gradient_edge(b)
    print(second.node is b.grad_fn, second.output_nr)
    z = a * b * b
    print(torch.autograd.grad(z, [edge, leaf, second, a], retain_graph=True))
    del b
    print(torch.autograd.grad(z, second, retain_graph=True))
    top = torch.autograd.graph.get_gradient_edge(z)
    print(torch.autograd.grad(top, x, grad_outputs=torch.tensor(1.0), retain_graph=True))
    print(torch.autograd.grad(top, x, retain_graph=True))
    torch.autograd.backward(top, inputs=[leaf], retain_graph=True)
    print(x.grad)
    torch.autograd.backward([top], torch.tensor(2.0))
    print(x.grad)
    attempt(torch.autograd.graph.get_gradient_edge, torch.ones(1))
    other = torch.autograd.graph.get_gradient_edge(torch.ones(1, requires_grad=True) * 2)
    attempt(torch.autograd.grad, (x * x).sum(), [other])
    print(torch.autograd.grad((x * x).sum(), [other], allow_unused=True))


@both
def test_edge_made_by_hand(torch):
    """
    (tensor(4.), tensor(4.))
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    a, b = x.unbind()
    z = a * b * b
    Edge = torch.autograd.graph.GradientEdge
    print(torch.autograd.grad(z, [Edge(a.grad_fn, 0), Edge(b.grad_fn, 1)]))


@both
def test_metadata_of_a_node(torch):
    """
    {'who': 'me'}
    """
    x = torch.tensor(2.0, requires_grad=True)
    y = x * x
    y.grad_fn.metadata["who"] = "me"
    print(y.grad_fn.metadata)


@both
def test_detach(torch):
    """
    False True None
    tensor([100.,   4.])
    True False True None
    RuntimeError: Can't detach views in-place. Use detach() instead...
    False
    tensor([4., 8.]) None
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * x
    d = y.detach()
    print(d.requires_grad, d.is_leaf, d.grad_fn)
    d[0] = 100.0
    print(y.detach())
    z = x * 2
    print(z.detach_() is z, z.requires_grad, z.is_leaf, z.grad_fn)
    v = (x * 2)[0]
    attempt(v.detach_)
    w = torch.ones(2, requires_grad=True)
    w.detach_()
    print(w.requires_grad)
    s = (x * 2).detach().requires_grad_()
    (s * s).sum().backward()
    print(s.grad, x.grad)


@both
def test_results_of_integer_operations_are_not_tracked(torch):
    """
        torch.bool False True; torch.int64 False True; torch.int64 False True; torch.bool False True; torch.bool False
    True; torch.bool False True; torch.float32 False True; torch.float32 False True;
    FloorBackward0 SignBackward0 RoundBackward0 TruncBackward0 RemainderBackward0 torch::autograd::NotImplemented
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    for y in (
        x > 1,
        x.argmax(),
        x.to(torch.int64),
        x == x,
        torch.isnan(x),
        x.bool(),
        torch.zeros_like(x),
        torch.ones_like(x),
    ):
        print(y.dtype, y.requires_grad, y.is_leaf, end="; ")
    print()
    for y in (x.floor(), x.sign(), x.round(), x.trunc(), x % 1, x // 1):
        print(y.grad_fn.name(), end=" ")


@both
def test_data_and_requires_grad_of_copies(torch):
    """
    True False CloneBackward0
    tensor([5., 6.], requires_grad=True)
    tensor([14., 12.], requires_grad=True) 0
    TypeError: Variable data has to be a tensor, but got list...
    RuntimeError: data set to a tensor that requires gradients must be floating point or complex dtype...
    tensor([2., 2., 2.])
    """
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    c = x.clone()
    print(c.requires_grad, c.is_leaf, c.grad_fn.name())
    x.data = torch.tensor([5.0, 6.0])
    print(x)
    x.data[0] = 7.0
    x.data.mul_(2)
    print(x, x._version)
    attempt(setattr, x, "data", [1.0])
    attempt(setattr, x, "data", torch.tensor([1, 2]))
    w = torch.tensor([5.0, 6.0], requires_grad=True)
    w.data = torch.ones(3)
    (w * w).sum().backward()
    print(w.grad)


@both
def test_subclass_and_identity(torch):
    """
    True False False True
    1
    """
    x = torch.tensor(2.0, requires_grad=True)
    print(x.requires_grad_() is x, x.detach() is x, x.data is x.data, hash(x) == hash(x))
    print({x: 1}[x])


@both
def test_nodes_are_of_their_class_wherever_they_come_from(torch):
    """
    AddBackward0 AddBackward0
    [('MulBackward0', 0), ('AccumulateGrad', 0)] True True
    ('ExpBackward0', 0) MulBackward0
    <MulBackward0> <MulBackward0> torch::autograd::AccumulateGrad
    SumBackward0 [('MulBackward0', 0)]
    tensor(3.) tensor(1.)
    AttributeError AddBackward0
    True True ['_saved_other', '_saved_self'] ['_saved_max', '_saved_min', '_saved_self']
    MulBackward0
    False
    ['_saved_dim0', '_saved_dim1']
    """
    w, b = torch.tensor(2.0, requires_grad=True), torch.tensor(1.0, requires_grad=True)
    y = w * 3.0 + b
    node = y.grad_fn
    print(type(node).__name__, node.name())
    following = node.next_functions
    print(
        [(type(n).__name__, i) for n, i in following], y.grad_fn is node, following[0][0] is node.next_functions[0][0]
    )
    z = torch.exp(w) * w
    seen = []
    z.grad_fn.register_hook(lambda grads, _: seen.append(z.grad_fn.next_functions[0]))
    z.backward()
    print((type(seen[0][0]).__name__, seen[0][1]), type(z.grad_fn).__name__)
    print(
        *["<" + repr(n).split(" ")[0].split(".")[-1].lstrip("<") + ">" for n in (z.grad_fn, (w * b).grad_fn)], end=" "
    )
    print(following[1][0].name())
    total = (torch.ones(2) * w).sum()
    print(type(total.grad_fn).__name__, [(type(n).__name__, i) for n, i in total.grad_fn.next_functions])
    w.grad = None
    y.backward()
    print(w.grad, b.grad)
    try:
        print(y.grad_fn._saved_nothing)
    except AttributeError as error:
        print(type(error).__name__, str(error).split("'")[1])
    product, clamped = w * b, torch.clamp(w, 0.0, 5.0)
    print(torch.equal(product.grad_fn._saved_self, w), clamped.grad_fn._saved_max == 5.0, end=" ")
    hidden = "_saved_result"  # ours have it all
    print(*[[n for n in dir(t.grad_fn) if n.startswith("_saved_") and n != hidden] for t in (product, clamped)])
    print(type(torch.autograd.graph.get_gradient_edge(w * b).node).__name__)
    try:
        y.backward()
        y.backward()
    except RuntimeError as error:
        print("Unseen" in str(error))
    turned = torch.ones(2, 3, requires_grad=True).transpose(0, 1)
    print([name for name in dir(turned.grad_fn) if name in ("_saved_dim0", "_saved_dim1")])
