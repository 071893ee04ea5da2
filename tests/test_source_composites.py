"""Functions that are made of others are recorded at the user's line."""

import pytest

import wengert as torch
import wengert.nn.functional as F
from wengert import nn
from wengert._source import locate

ACTIVATIONS = (
    *(nn.CELU, nn.ELU, nn.GELU, nn.SELU, nn.Hardshrink, nn.Hardsigmoid, nn.Hardswish, nn.Hardtanh, nn.LeakyReLU),
    *(nn.LogSigmoid, nn.Mish, nn.PReLU, nn.RReLU, nn.ReLU, nn.ReLU6, nn.SiLU, nn.Sigmoid, nn.Softplus, nn.Softshrink),
    *(nn.Softsign, nn.Tanh, nn.Tanhshrink),
)


def first(result):
    return result[0] if isinstance(result, tuple) else result


def calls() -> list[tuple[str, object]]:
    w = torch.tensor([[0.3, 0.6], [0.2, 0.7]], requires_grad=True)
    x = torch.tensor([[0.5, 0.4], [0.1, 0.9]])
    return [
        ("l1_loss", F.l1_loss(w, x)),
        ("kl_div", F.kl_div(w, x, reduction="sum")),
        ("cross_entropy", F.cross_entropy(w, x)),
        ("cosine_similarity", F.cosine_similarity(w, x)),
        ("dropout", F.dropout(w, 0.5)),
        ("tanhshrink", torch.nn.Tanhshrink()(w)),
        ("triplet_margin_loss", F.triplet_margin_loss(w, x, x * 2)),
        ("matrix_power", torch.matrix_power(w, 3)),
        ("scaled_dot_product_attention", F.scaled_dot_product_attention(w, x, x)),
        ("group_norm", F.group_norm(w, 1, x[0], x[0])),
        ("rms_norm", F.rms_norm(w, (2,), x[0])),
        ("bilinear", F.bilinear(w, x, x[None], x[0, :1])),
        ("alpha_dropout", F.alpha_dropout(w, 0.5, True)),
        ("cosine_embedding_loss", F.cosine_embedding_loss(w, x, torch.ones(2))),
        *[(kind.__name__, kind()(w)) for kind in ACTIVATIONS],
        *[(kind.__name__, kind(2, 3)(w[None])[0]) for kind in (nn.LSTM,)],
        *[(kind.__name__, first(kind(2, 3)(w))) for kind in (nn.RNNCell, nn.GRUCell, nn.LSTMCell)],
        ("MultiheadAttention", nn.MultiheadAttention(2, 1)(w, x, x)[0]),
        ("TransformerEncoderLayer", nn.TransformerEncoderLayer(2, 1, 4)(w)),
        ("TransformerDecoderLayer", nn.TransformerDecoderLayer(2, 1, 4)(w, x)),
        ("Sequential", nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2), nn.Sigmoid())(w)),
    ]


@pytest.mark.parametrize(("name", "result"), calls(), ids=[name for name, _ in calls()])
def test_every_node_of_a_function_names_the_line_that_called_it(name: str, result: torch.Tensor) -> None:
    line = locate(result.grad_fn.code, result.grad_fn.lasti).lineno
    pending, count = [result.grad_fn], 0
    while pending:
        node = pending.pop()
        if node.code is not None:
            place = locate(node.code, node.lasti)
            assert (place.filename, place.lineno) == (__file__, line), node
            count += 1
        pending += [following for following in node.next if following is not None]
    assert count


def test_what_the_users_own_function_did_keeps_its_line() -> None:
    def distance(a, b):
        return (a - b).abs().sum(-1)

    w, x = torch.ones(2, 3, requires_grad=True), torch.zeros(2, 3)
    loss = F.triplet_margin_with_distance_loss(w, x, x + 1, distance_function=distance)
    graph = torch.draw(loss)
    assert graph is not None
    names = set()
    pending = [loss.grad_fn]
    while pending:
        node = pending.pop()
        if node.code is not None:
            names.add(node.code.co_name)
        pending += [following for following in node.next if following is not None]
    assert names == {"distance", "test_what_the_users_own_function_did_keeps_its_line"}


def test_warnings_of_such_functions_name_the_users_line() -> None:
    with pytest.warns(UserWarning, match="target size") as told:
        F.l1_loss(torch.ones(2, 1), torch.ones(2))
    assert told[0].filename == __file__
    with pytest.warns(UserWarning, match="Implicit dimension") as told:
        F.softmin(torch.ones(2, 2))
    assert told[0].filename == __file__
