"""Bytes of a run, counted before it starts: every item that is sent, under a formula of its own.

All sums are made as in :mod:`efficient_ai.ab_training._exchange`: ``p`` ranks in ``G`` groups send a tensor of ``N`` bytes
``2 (p - 1)`` times for its sum over the world, ``2 (G - 1)`` times of it between groups; a copy to all costs half of that. A sum within
groups sends it ``2 (p - G)`` times, none between groups.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from efficient_ai.ab_training._exchange import groups_of
from efficient_ai.ab_training._merge import Mode
from efficient_ai.ab_training._schedule import Schedule


@dataclass(frozen=True)
class Sizes:
    """What a model has to send, in numbers of values.

    Args:
        matrices: of each decomposed weight ``(count, rows, columns)``.
        others: values of all that learns at full rank: first and last layers, biases, scales.
        tensors: how many tensors those are.
        means, integers: values in real and in whole-number buffers.
        buffers: real buffers that are variances are among ``means``.
    """

    matrices: tuple[tuple[int, int, int], ...]
    others: int
    tensors: int
    means: int = 0
    integers: int = 0

    @property
    def whole(self) -> int:
        """Values of the decomposed weights at full rank, ``N_W``."""
        return sum(c * m * n for c, m, n in self.matrices)

    def factor(self, side: str, ranks: Sequence[int] | None = None) -> int:
        """Values of all A or all B, ``N_A`` or ``N_B``, at these ranks or at full rank."""
        ranks = [n for _, _, n in self.matrices] if ranks is None else ranks
        return sum(
            c * (m if side == "a" else n) * k for (c, m, n), k in zip(self.matrices, ranks, strict=True)
        )


@dataclass(frozen=True)
class Bytes:
    """Sent by all ranks together: to ranks of other groups, and within groups."""

    between: int = 0
    inside: int = 0

    def __add__(self, other: "Bytes") -> "Bytes":
        return Bytes(self.between + other.between, self.inside + other.inside)

    def __mul__(self, times: int) -> "Bytes":
        return Bytes(self.between * times, self.inside * times)

    @property
    def total(self) -> int:
        return self.between + self.inside


@dataclass(frozen=True)
class Plan:
    """How a run is sent: ``world`` ranks in groups of ``group``; ``width`` bytes a value; ``moments`` tensors that the optimiser keeps
    of each parameter (Adam 2, SGD 0 or 1)."""

    world: int
    group: int = 2
    mode: Mode = "with-stale"
    kind: str = "ab"
    width: int = 4
    moments: int = 2
    histories: str = "average"

    @property
    def lengths(self) -> list[int]:
        """Ranks in each group."""
        return [len(ranks) for ranks in groups_of(self.world, self.group)]

    @property
    def sides(self) -> list[str]:
        """What each group learns."""
        count = 0 if self.mode == "only-b" else len(self.lengths) // 2
        return ["a" if i < count else "b" for i in range(len(self.lengths))]

    def sum(self, size: int) -> Bytes:
        """A sum over the world of ``size`` bytes."""
        groups = len(self.lengths)
        return Bytes(2 * (groups - 1) * size, 2 * (self.world - groups) * size)

    def copy(self, size: int) -> Bytes:
        """One rank's ``size`` bytes to all others."""
        groups = len(self.lengths)
        return Bytes((groups - 1) * size, (self.world - groups) * size)

    def together(self, sizes: Sizes) -> Bytes:
        """A step at full rank: gradients and, of each tensor, a flag whether it took part."""
        tensors = len(sizes.matrices) + sizes.tensors
        return self.sum(self.width * (sizes.whole + sizes.others + tensors))

    def apart(self, sizes: Sizes, ranks: Sequence[int] | None = None) -> Bytes:
        """A step in groups."""
        if self.kind == "synchronous":
            return self.together(sizes)
        flags = len(sizes.matrices) + sizes.tensors
        found = 0
        for length, side in zip(self.lengths, self.sides, strict=True):
            learns = sizes.whole if self.kind == "local" else sizes.factor(side, ranks)
            found += 2 * (length - 1) * self.width * (learns + sizes.others + flags)
        return Bytes(0, found)

    def factorise(self, sizes: Sizes, ranks: Sequence[int] | None = None) -> Bytes:
        """Agreement on the ranks, 8 bytes a weight, and the factors from the rank that computed them to all."""
        if self.kind != "ab":
            return Bytes()
        both = sizes.factor("a", ranks) + sizes.factor("b", ranks)
        return self.sum(8 * len(sizes.matrices)) + self.copy(self.width * both)

    def merge(self, sizes: Sizes, ranks: Sequence[int] | None = None) -> dict[str, Bytes]:
        """A merge, item by item."""
        if self.kind == "synchronous":
            return {}
        a, b = sizes.factor("a", ranks), sizes.factor("b", ranks)
        weights = {"full": sizes.whole, "with-stale": a + b, "only-learned": a + b, "only-b": b}[self.mode]
        weights = b if "a" not in self.sides else weights
        tensors, values = sizes.tensors, sizes.others
        if self.kind == "local":
            weights, tensors, values = sizes.whole, tensors + len(sizes.matrices), values + sizes.whole
        items = {
            "weights": self.sum(self.width * weights),
            "parameters at full rank": self.sum(self.width * sizes.others),
            "buffers": self.sum(8 * sizes.means + 8 * sizes.integers * self.world),
        }
        if self.histories == "average":
            items["agreement on the history"] = self.sum(24 * tensors)
            items["moments"] = self.sum(self.width * self.moments * values)
        return items


def run_bytes(
    schedule: Schedule, plan: Plan, sizes: Sizes, ranks: Sequence[Sequence[int]] | None = None
) -> dict[str, Bytes]:
    """Bytes of a whole run by item, without what the construction compares and without the last :meth:`ABTraining.finish`.

    Args:
        ranks: of every weight in each phase apart, in order; ``None`` for full rank throughout, the most that it can be.
    """
    found = {"steps together": Bytes(), "steps apart": Bytes(), "factors to all": Bytes()}
    step, part = 0, 0
    for phase, steps in schedule.segments():
        step += steps
        if phase != "apart" or plan.kind == "synchronous":
            found["steps together"] += plan.together(sizes) * steps
            continue
        now = ranks and ranks[part]
        part += 1
        found["factors to all"] += plan.factorise(sizes, now)
        found["steps apart"] += plan.apart(sizes, now) * steps
        if schedule.switch(step) == "merge":
            for name, size in plan.merge(sizes, now).items():
                found[name] = found.get(name, Bytes()) + size
    return found


def total(items: dict[str, Bytes]) -> Bytes:
    """All items together."""
    return sum(items.values(), Bytes())


def sizes_of(training) -> Sizes:
    """What the model of an :class:`ABTraining` has to send."""
    buffers = list({id(b): b for b in training.model.buffers()}.values())
    return Sizes(
        tuple((p.view.count, p.view.rows, p.view.columns) for p in training.places),
        sum(p.numel() for p in training.others),
        len(training.others),
        sum(b.numel() for b in buffers if b.is_floating_point()),
        sum(b.numel() for b in buffers if not b.is_floating_point()),
    )
