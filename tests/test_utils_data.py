"""Data sets, samplers, loaders: what PyTorch's give, and with workers the same as without."""

import os
from collections import namedtuple

import numpy as np
import pytest

import wengert
from both import attempt, both


@both
def test_loaders_in_order(torch):
    """
    3 [[0.0, 1.0], [2.0, 3.0], [4.0]]
    2 [[0.0, 1.0], [2.0, 3.0]]
    5 [0.0, 1.0, 2.0, 3.0, 4.0]
    [[4.0, 0.0], [1.0]]
    """
    D = torch.utils.data
    data = D.TensorDataset(torch.arange(5.0), torch.arange(5))
    for settings in ({"batch_size": 2}, {"batch_size": 2, "drop_last": True}, {"batch_size": None}):
        loader = D.DataLoader(data, **settings)
        print(len(loader), [x.tolist() for x, y in loader])
    print([x.tolist() for x, y in D.DataLoader(data, batch_sampler=[[4, 0], [1]])])


@both
def test_collating(torch):
    """
    tensor([[1., 2.],
            [3., 4.]])
    tensor([1., 2.], dtype=torch.float64) tensor([1, 2]) tensor([ True, False])
    ['a', 'b'] [tensor([1, 3]), tensor([2, 4])] [tensor([1, 3]), tensor([2, 4])]
    {'x': tensor([1, 3]), 'y': ['a', 'b']} [tensor([1, 2]), ('a', 'b')]
    Point(x=tensor([1, 3]), y=tensor([2, 4]))
    tensor([[1, 2],
            [3, 4]]) tensor([1.5000, 2.5000], dtype=torch.float64)
    RuntimeError: each element in list of batch should be of equal size
    TypeError: default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists;
        found <class 'object'>
    """
    Point = namedtuple("Point", "x y")
    f = torch.utils.data.default_collate
    print(f([torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0])]))
    print(f([1.0, 2.0]), f([1, 2]), f([True, False]))
    print(f(["a", "b"]), f([(1, 2), (3, 4)]), f([[1, 2], [3, 4]]))
    print(f([{"x": 1, "y": "a"}, {"x": 3, "y": "b"}]), f([(1, "a"), (2, "b")]))
    print(f([Point(1, 2), Point(3, 4)]))
    print(f([np.array([1, 2]), np.array([3, 4])]), f([np.float64(1.5), np.float64(2.5)]))
    attempt(f, [[1], [1, 2]])
    attempt(f, [object()])


@both
def test_datasets(torch):
    """
    3 (tensor(1), tensor(10))
    5 3 [7, 8]
    (1, 'b') {'x': 1, 'y': 'b'} 2
    AssertionError: Size mismatch between tensors...
    ValueError: Size mismatch between datasets
    ValueError: absolute value of index should not exceed dataset length
    [0, 1, 0, 1] [[0, 1], [0, 1]]
    """
    D = torch.utils.data

    def attempt(f, *args):
        try:
            f(*args)
        except (AssertionError, ValueError) as error:
            print(f"{type(error).__name__}: {error}")

    class Stream(D.IterableDataset):
        def __iter__(self):
            return iter(range(2))

    data = D.TensorDataset(torch.arange(3), torch.arange(3) * 10)
    print(len(data), data[1])
    joined = D.ConcatDataset([[1, 2, 3], [7, 8]])
    print(len(joined), joined[2], [joined[-2], joined[4]])
    print(D.StackDataset([0, 1], "ab")[1], D.StackDataset(x=[0, 1], y="ab")[1], len(D.StackDataset("ab")))
    attempt(D.TensorDataset, torch.ones(2), torch.ones(3))
    attempt(D.StackDataset, [1], [1, 2])
    attempt(joined.__getitem__, -6)
    print(list(Stream() + Stream()), [b.tolist() for b in D.DataLoader(Stream() + Stream(), 2)])


@both
def test_what_is_refused(torch):
    """
    ValueError: sampler option is mutually exclusive with shuffle
    ValueError: batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last
    ValueError: batch_size should be a positive integer value, but got batch_size=0
    ValueError: prefetch_factor option could only be specified in multiprocessing...
    ValueError: persistent_workers option needs num_workers > 0
    ValueError: num_samples should be a positive integer value, but got num_samples=0
    ValueError: Sum of input lengths does not equal the length of the input dataset!...
    """
    D = torch.utils.data
    attempt(D.DataLoader, [1], sampler=[0], shuffle=True)
    attempt(D.DataLoader, [1], batch_sampler=[[0]], batch_size=2)
    attempt(D.DataLoader, [1], batch_size=0)
    attempt(D.DataLoader, [1], prefetch_factor=3)
    attempt(D.DataLoader, [1], persistent_workers=True)
    attempt(D.RandomSampler, [])
    attempt(D.random_split, [1, 2], [1, 2])


@both
def test_random_orders(torch):
    """
    [0, 1, 2, 3, 4, 5, 6, 7] True True
    True 20
    [2, 3] 7
    [4, 3, 3] [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    True
    """
    D = torch.utils.data
    seeded = lambda: torch.Generator().manual_seed(3)
    orders = [[b.item() for b in D.DataLoader(range(8), shuffle=True, generator=seeded())] for _ in range(2)]
    print(sorted(orders[0]), orders[0] == orders[1], orders[0] != list(range(8)))
    drawn = list(D.RandomSampler(range(3), replacement=True, num_samples=20))
    print(set(drawn) <= {0, 1, 2}, len(drawn))
    weighted = list(D.WeightedRandomSampler([0.0, 0.0, 1.0, 1.0], 40))
    print(sorted(set(weighted)), len(list(D.RandomSampler(range(3), num_samples=7))))
    parts = D.random_split(range(10), [0.4, 0.3, 0.3], generator=seeded())
    print([len(p) for p in parts], sorted(x for p in parts for x in p))
    again = D.random_split(range(10), [0.4, 0.3, 0.3], generator=seeded())
    print([p.indices for p in parts] == [p.indices for p in again])


def test_an_order_can_be_repeated_from_the_default_generator():
    loader = wengert.utils.data.DataLoader(range(50), shuffle=True)
    wengert.manual_seed(5)
    first = [x.item() for x in loader]
    second = [x.item() for x in loader]
    wengert.manual_seed(5)
    assert [x.item() for x in loader] == first != second


def test_rows_taken_at_once_are_those_taken_one_by_one():
    D = wengert.utils.data
    data = D.TensorDataset(wengert.arange(12.0).reshape(6, 2), wengert.arange(6))
    at_once = list(D.DataLoader(data, 4))
    one_by_one = list(D.DataLoader(data, 4, collate_fn=lambda batch: D.default_collate(batch)))
    for a, b in zip(at_once, one_by_one, strict=True):
        assert all(wengert.equal(x, y) for x, y in zip(a, b, strict=True))


# --- workers: at module level, so that any way of starting processes finds them ---


class Numbered(wengert.utils.data.Dataset):
    def __len__(self):
        return 11

    def __getitem__(self, i):
        if i == 100:
            raise KeyError("no such item")
        return wengert.tensor([float(i), wengert.rand(()).item()]), wengert.utils.data.get_worker_info().id, os.getpid()


class Shared(wengert.utils.data.IterableDataset):
    def __iter__(self):
        info = wengert.utils.data.get_worker_info()
        return iter(range(info.id, 7, info.num_workers))


def announce(number):
    assert wengert.utils.data.get_worker_info().id == number


@pytest.mark.slow
def test_workers():
    D = wengert.utils.data
    loader = D.DataLoader(Numbered(), 3, num_workers=2, worker_init_fn=announce, timeout=60)
    batches = list(loader)
    assert [b[0][:, 0].tolist() for b in batches] == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10]]
    assert [b[1][0].item() for b in batches] == [0, 1, 0, 1]
    pids = {int(p) for b in batches for p in b[2]}
    assert len(pids) == 2
    assert os.getpid() not in pids
    drawn = [v for b in batches for v in b[0][:, 1].tolist()]
    assert len(set(drawn)) == 11
    with pytest.raises(KeyError, match="no such item"):
        list(D.DataLoader(Numbered(), sampler=[0, 100], num_workers=1))


@pytest.mark.slow
def test_workers_of_streams():
    loader = wengert.utils.data.DataLoader(Shared(), 2, num_workers=2)
    assert [b.tolist() for b in loader] == [[0, 2], [1, 3], [4, 6], [5]]


@pytest.mark.slow
def test_workers_that_stay():
    loader = wengert.utils.data.DataLoader(Numbered(), 11, num_workers=1, persistent_workers=True)
    first, second = (next(iter([*loader]))[2][0].item() for _ in range(2))
    assert first == second
    loader._workers.stop()
