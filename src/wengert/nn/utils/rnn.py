"""Sequences of different lengths: padded to one length, or packed without the padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from wengert._dtypes import int64
from wengert._tensor import Tensor
from wengert.functions.data import as_tensor
from wengert.functions.joining import cat, stack
from wengert.functions.likes import full_like

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


class PackedSequence(NamedTuple):
    """A batch of sequences, longest first, step by step: the first steps of all, the second ones of those that go on...

    ``batch_sizes`` says how many go on at each step; ``sorted_indices`` which sequence came where by its length.

    >>> import wengert as torch
    >>> packed = torch.nn.utils.rnn.pack_sequence([torch.tensor([1, 2, 3]), torch.tensor([4])])
    >>> packed.data, packed.batch_sizes
    (tensor([1, 4, 2, 3]), tensor([2, 1, 1]))
    """

    data: Any
    batch_sizes: Any
    sorted_indices: Any = None
    unsorted_indices: Any = None

    def to(self, *args: Any, **options: Any) -> PackedSequence:
        """The sequences converted as :meth:`Tensor.to` does."""
        return self._replace(data=self.data.to(*args, **options))

    @property
    def is_cuda(self) -> bool:
        """False."""
        return False


def invert_permutation(permutation: Any) -> Any:
    """The permutation that undoes one; None for None.

    >>> import wengert as torch
    >>> torch.nn.utils.rnn.invert_permutation(torch.tensor([2, 0, 1]))
    tensor([1, 2, 0])
    """
    return None if permutation is None else permutation.argsort()


def pad_sequence(
    sequences: Any, batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Any:
    """Sequences in one tensor ``[longest, batch, ...]``, the shorter ones filled up.

    Raises:
        RuntimeError: no sequences.

    >>> import wengert as torch
    >>> torch.nn.utils.rnn.pad_sequence([torch.tensor([1, 2]), torch.tensor([3])], batch_first=True, padding_value=9)
    tensor([[1, 2],
            [3, 9]])
    """
    several = list(sequences)
    if not several:
        raise RuntimeError("received an empty list of sequences")
    if padding_side not in ("left", "right"):
        raise RuntimeError(f"padding_side should be either 'right' or 'left', but got {padding_side}")
    longest = max([len(s) for s in several])
    padded = []
    for s in several:
        missing = longest - len(s)
        filling = full_like(several[0][:1], padding_value).expand(missing, *s.shape[1:])
        parts = [s, filling] if padding_side == "right" else [filling, s]
        padded.append(cat(parts) if missing else s)
    return stack(padded, 0 if batch_first else 1)


def unpad_sequence(padded_sequences: Any, lengths: Any, batch_first: bool = False) -> list[Any]:
    """The sequences of a padded tensor.

    >>> import wengert as torch
    >>> torch.nn.utils.rnn.unpad_sequence(torch.tensor([[1, 2], [3, 0]]), torch.tensor([2, 1]), batch_first=True)
    [tensor([1, 2]), tensor([3])]
    """
    padded = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    return [s[:n] for s, n in zip(padded, as_tensor(lengths).tolist(), strict=True)]


def pack_padded_sequence(
    input: Any, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Pack a padded tensor: leave its padding out.

    Raises:
        RuntimeError: lengths that are not positive or longer than the tensor, or (with ``enforce_sorted``) not sorted.

    >>> import wengert as torch
    >>> torch.nn.utils.rnn.pack_padded_sequence(torch.tensor([[1, 3], [2, 0]]), [2, 1]).data
    tensor([1, 3, 2])
    """
    counts = as_tensor(lengths, dtype=int64)
    order = None
    if not enforce_sorted:
        counts, order = counts.sort(descending=True)
        input = input.index_select(0 if batch_first else 1, order)
    x = input.transpose(0, 1) if batch_first else input
    numbers: list[int] = counts.tolist()
    if not numbers or min(numbers) <= 0:
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0"
        )
    if numbers != sorted(numbers, reverse=True):
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass "
            "`enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this requirement"
        )
    if len(numbers) != x.shape[1] or numbers[0] > x.shape[0]:
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {len(numbers)} (batch_size={x.shape[1]}), and "
            f"lengths of at most {x.shape[0]}"
        )
    sizes = [sum([n > t for n in numbers]) for t in range(numbers[0])]
    data = cat([x[t, :size] for t, size in enumerate(sizes)])
    return PackedSequence(data, as_tensor(sizes), order, invert_permutation(order))


def pack_sequence(sequences: Any, enforce_sorted: bool = True) -> PackedSequence:
    """Pack a list of sequences.

    Raises:
        RuntimeError: as :func:`pack_padded_sequence`.

    >>> import wengert as torch
    >>> torch.nn.utils.rnn.pack_sequence([torch.tensor([1, 2]), torch.tensor([3])]).data
    tensor([1, 3, 2])
    """
    several: Sequence[Tensor] = list(sequences)
    lengths = [len(s) for s in several]
    return pack_padded_sequence(pad_sequence(several), lengths, enforce_sorted=enforce_sorted)


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Any, Any]:
    """The opposite of :func:`pack_padded_sequence`: the padded tensor and the lengths.

    Raises:
        ValueError: ``total_length`` is less than the longest sequence.

    >>> import wengert as torch
    >>> packed = torch.nn.utils.rnn.pack_sequence([torch.tensor([1, 2]), torch.tensor([3])])
    >>> torch.nn.utils.rnn.pad_packed_sequence(packed, batch_first=True)
    (tensor([[1, 2],
            [3, 0]]), tensor([2, 1]))
    """
    sizes: list[int] = sequence.batch_sizes.tolist()
    if total_length is not None and total_length < len(sizes):
        raise ValueError(
            "Expected total_length to be at least the length of the longest sequence in input, but got "
            f"total_length={total_length} and max sequence length being {len(sizes)}"
        )
    steps = sequence.data.split(sizes)
    rest = steps[0][:1]
    rows = []
    for step in (*steps, *[steps[0][:0]] * ((total_length or len(sizes)) - len(sizes))):
        missing = sizes[0] - len(step)
        filling = full_like(rest, padding_value).expand(missing, *rest.shape[1:])
        rows.append(cat([step, filling]) if missing else step)
    padded = stack(rows, 1 if batch_first else 0)
    lengths = as_tensor([sum([size > i for size in sizes]) for i in range(sizes[0])])
    if sequence.unsorted_indices is not None:
        padded = padded.index_select(0 if batch_first else 1, sequence.unsorted_indices)
        lengths = lengths[sequence.unsorted_indices]
    return padded, lengths


def unpack_sequence(packed_sequences: PackedSequence) -> list[Any]:
    """The opposite of :func:`pack_sequence`: a list of sequences.

    >>> import wengert as torch
    >>> rnn = torch.nn.utils.rnn
    >>> rnn.unpack_sequence(rnn.pack_sequence([torch.tensor([1, 2]), torch.tensor([3])]))
    [tensor([1, 2]), tensor([3])]
    """
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
