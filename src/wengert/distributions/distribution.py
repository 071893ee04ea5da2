"""The base of all distributions: shapes, checks of parameters and values, and what follows from the others."""

from __future__ import annotations

from typing import Any, ClassVar

from wengert._size import Size
from wengert.autograd.grad_mode import no_grad
from wengert.distributions import constraints
from wengert.distributions.utils import all_true, lazy_property
from wengert.engine.base import TensorBase
from wengert.engine.composites import composite

__all__ = ["Distribution"]

# What computes: recorded at the user's line.
_COMPUTED = (
    *("rsample", "sample", "log_prob", "cdf", "icdf", "entropy", "mean", "mode", "variance", "stddev", "perplexity"),
    *("covariance_matrix", "precision_matrix", "scale_tril"),
)


class Distribution:
    """A distribution of events of shape ``event_shape``, one for each element of ``batch_shape``.

    Subclasses say which constraints their parameters must satisfy (``arg_constraints``) and what they can give
    (``support``). ``validate_args=False`` leaves out all checks.

    Raises:
        ValueError: a parameter outside its constraint.

    >>> import wengert as torch
    >>> d = torch.distributions.Normal(torch.zeros(2), 1.0)
    >>> d.batch_shape, d.sample((3,)).shape, d.log_prob(torch.zeros(2))
    (torch.Size([2]), torch.Size([3, 2]), tensor([-0.9189, -0.9189]))
    """

    has_rsample: Any = False  # whether draws are differentiable by the parameters
    has_enumerate_support: Any = False
    arg_constraints: Any = {}  # noqa: RUF012 - a property in subclasses whose parameters decide
    support: Any = None
    _parameters: ClassVar[tuple[str, ...]] = ()  # the attributes that have the batch shape: what `expand` broadcasts
    _validate_args = __debug__

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for name in _COMPUTED:
            own = cls.__dict__.get(name)
            if isinstance(own, property) and own.fget is not None:
                setattr(cls, name, property(composite(own.fget), doc=own.__doc__))
            elif callable(own):
                setattr(cls, name, composite(own))

    def __init__(self, batch_shape: Any = (), event_shape: Any = (), validate_args: bool | None = None) -> None:
        self._batch_shape, self._event_shape = Size(batch_shape), Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            for name, constraint in self.arg_constraints.items():
                if constraints.is_dependent(constraint):
                    continue
                if name not in self.__dict__ and isinstance(getattr(type(self), name, None), lazy_property):
                    continue  # it follows from another parameter
                _check_parameter(self, name, constraint)

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Switch the checks of parameters and values on or off for all distributions.

        Raises:
            ValueError: not a bool.
        """
        if value not in (True, False):
            raise ValueError(f"expected True or False, got {value!r}")
        Distribution._validate_args = value

    # --- shapes ---

    @property
    def batch_shape(self) -> Size:
        """The shape of the parameters: how many distributions these are."""
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        """The shape of one event."""
        return self._event_shape

    def _extended_shape(self, sample_shape: Any = ()) -> Size:
        return Size((*sample_shape, *self._batch_shape, *self._event_shape))

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same distribution with its parameters broadcast to another batch shape.

        Raises:
            NotImplementedError: a class that does not say how.
        """
        if not self._parameters:
            raise NotImplementedError(f"{type(self).__name__} does not implement expand")
        return self._expanded(_instance, batch_shape)

    def _expanded(self, _instance: Any, batch_shape: Any, *, event: Any = None) -> Any:
        """A copy whose parameters (as far as they are there) are broadcast; checks were made already."""
        new = self._get_checked_instance(type(self), _instance)
        batch = Size(batch_shape)
        event_shape = self._event_shape if event is None else Size(event)
        for name in self._parameters:
            if name in self.__dict__:
                t = self.__dict__[name]
                own = t.shape[len(self._batch_shape) :]
                new.__dict__[name] = t.expand((*batch, *own))
        Distribution.__init__(new, batch, event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    def _get_checked_instance(self, cls: type, _instance: Any = None) -> Any:
        if _instance is None and type(self).__init__ is not cls.__init__:  # type: ignore[misc]
            raise NotImplementedError(
                f"Subclass {type(self).__name__} of {cls.__name__} that defines a custom __init__ method must also "
                "define a custom .expand() method."
            )
        return self.__new__(type(self)) if _instance is None else _instance

    # --- what subclasses give ---

    @property
    def mean(self) -> Any:
        """The mean."""
        raise NotImplementedError

    @property
    def mode(self) -> Any:
        """The most probable value."""
        raise NotImplementedError(f"{type(self)} does not implement mode")

    @property
    def variance(self) -> Any:
        """The variance."""
        raise NotImplementedError

    @property
    def stddev(self) -> Any:
        """The standard deviation: the root of the variance."""
        return self.variance.sqrt()

    def sample(self, sample_shape: Any = ()) -> Any:
        """Draws of shape ``sample_shape + batch_shape + event_shape``, without gradients."""
        with no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Any = ()) -> Any:
        """Draws that are differentiable by the parameters."""
        raise NotImplementedError(
            f"{type(self).__name__} has no rsample: its draws are no differentiable functions of its parameters. Use "
            "sample() and log_prob(), whose product estimates the gradient (REINFORCE)"
        )

    def sample_n(self, n: int) -> Any:
        """``n`` draws; an older name of ``sample((n,))``."""
        return self.sample(Size((n,)))

    def log_prob(self, value: Any) -> Any:
        """The logarithm of the density or of the probability at ``value``."""
        raise NotImplementedError

    def cdf(self, value: Any) -> Any:
        """The probability of at most ``value``."""
        raise NotImplementedError

    def icdf(self, value: Any) -> Any:
        """The inverse of :meth:`cdf`."""
        raise NotImplementedError

    def enumerate_support(self, expand: bool = True) -> Any:
        """All values of a discrete distribution, along a first dimension."""
        raise NotImplementedError

    def entropy(self) -> Any:
        """The entropy, in nats."""
        raise NotImplementedError

    def perplexity(self) -> Any:
        """``exp(entropy)``."""
        return self.entropy().exp()

    # --- checks ---

    def _validate_sample(self, value: Any) -> None:
        if not isinstance(value, TensorBase):
            raise ValueError("The value argument to log_prob must be a Tensor")
        shape, own = tuple(value.shape), self._extended_shape()  # type: ignore[attr-defined]
        ends = shape[len(shape) - len(self._event_shape) :]
        if tuple(self._event_shape) != ends:
            raise ValueError(
                f"The right-most size of value must match event_shape: {ends} vs {tuple(self._event_shape)}."
            )
        for i, j in zip(reversed(shape), reversed(own), strict=False):
            if i not in (1, j) and j != 1:
                raise ValueError(f"Value is not broadcastable with batch_shape+event_shape: {shape} vs {tuple(own)}.")
        support = self.support
        if support is None or constraints.is_dependent(support):
            return
        valid = support.check(value)
        if not all_true(valid):
            raise ValueError(
                f"Expected value argument ({type(value).__name__} of shape {shape}) to be within the support "
                f"({support!r}) of the distribution {self!r}, but found invalid values:\n{value}"
            )

    def __repr__(self) -> str:
        names = [name for name in self.arg_constraints if name in self.__dict__]
        shown = [(name, self.__dict__[name]) for name in names]
        return f"{type(self).__name__}(" + ", ".join([f"{name}: {_in_short(t)}" for name, t in shown]) + ")"


def _in_short(t: Any) -> Any:
    return t.item() if isinstance(t, TensorBase) and t._data.size == 1 else getattr(t, "shape", t)  # type: ignore[attr-defined]


def _check_parameter(distribution: Distribution, name: str, constraint: Any) -> None:
    value = getattr(distribution, name)
    if not all_true(constraint.check(value)):
        raise ValueError(
            f"Expected parameter {name} ({type(value).__name__} of shape {tuple(value.shape)}) of distribution "
            f"{distribution!r} to satisfy the constraint {constraint!r}, but found invalid values:\n{value}"
        )
