"""When ranks train apart, when together, and how the learning rate restarts in between."""

from dataclasses import dataclass
from typing import Literal

Phase = Literal["warm-up", "apart", "together"]
Switch = Literal["factorise", "cut", "merge"]


@dataclass(frozen=True)
class Schedule:
    """Steps are counted as finished: ``phase(t)`` is that of step ``t + 1``.

    Warm-up at full rank; then apart until the next multiple of ``cycle``, where all merge; ``together`` steps at full rank; apart
    again, the factors cut this time, until the next multiple. The first phase apart is never cut.

    Args:
        total: steps of the run.
        warmup: at full rank before the first factorisation; from ``total`` on there is none.
        cycle: steps from one merge to the next.
        together: of a cycle's steps, how many are at full rank after a merge; at least 1 and less than ``cycle``.
        ramp: steps in which the learning rate climbs back after every switch; 0 for no restart.
        floor: learning rate from which it climbs.

    Raises:
        ValueError: no such schedule; the message says which number to change.
    """

    total: int
    warmup: int
    cycle: int
    together: int
    ramp: int = 0
    floor: float = 1e-5

    def __post_init__(self) -> None:
        for name, least in (("total", 1), ("warmup", 0), ("cycle", 2), ("together", 1), ("ramp", 0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ValueError(f"{name} is a whole number of steps, at least {least}: not {value!r}")
        if self.together >= self.cycle:
            raise ValueError(
                f"{self.together} of {self.cycle} steps at full rank leave none to train apart: take fewer"
            )
        if not 0 <= self.floor < float("inf"):
            raise ValueError(f"the lowest learning rate is finite and not negative: not {self.floor!r}")

    @property
    def first_merge(self) -> int:
        """The first multiple of the cycle after the warm-up; may lie beyond the end."""
        return (self.warmup // self.cycle + 1) * self.cycle

    @property
    def merges(self) -> list[int]:
        """The steps after which all merge."""
        return list(range(self.first_merge, self.total + 1, self.cycle)) if self.warmup < self.total else []

    def switch(self, step: int) -> Switch | None:
        """What happens after ``step`` finished steps, before the next."""
        if self.warmup >= self.total:
            return None
        if step == self.warmup:
            return "factorise"
        if step > self.warmup and step % self.cycle == 0:
            return "merge"
        late = self.first_merge < step < self.total
        return "cut" if late and step % self.cycle == self.together else None

    def phase(self, step: int) -> Phase:
        """In which phase the step after ``step`` finished ones is taken."""
        if step < self.warmup or self.warmup >= self.total:
            return "warm-up"
        if step < self.first_merge:
            return "apart"
        return "together" if step % self.cycle < self.together else "apart"

    def since_switch(self, step: int) -> int | None:
        """Steps finished since the last switch; ``None`` where there was none."""
        if step < self.warmup or self.warmup >= self.total:
            return None
        if step < self.first_merge:
            return step - self.warmup
        inside = step % self.cycle
        return inside if inside < self.together else inside - self.together

    def segments(self) -> list[tuple[Phase, int]]:
        """The phases of the run in order, each with its number of steps."""
        if self.warmup >= self.total:
            return [("warm-up", self.total)]
        found: list[tuple[Phase, int]] = [("warm-up", self.warmup), ("apart", self.first_merge - self.warmup)]
        found += [("together", self.together), ("apart", self.cycle - self.together)] * len(self.merges)
        left, kept = self.total, []
        for phase, steps in found:
            if min(steps, left):
                kept.append((phase, min(steps, left)))
            left -= min(steps, left)
        return kept

    def count(self, phase: Phase) -> int:
        """How many steps of the run are in this phase."""
        return sum(steps for name, steps in self.segments() if name == phase)

    @property
    def share_at_full_rank(self) -> float:
        """Of all steps, how many exchange whole gradients with everybody."""
        return 1 - self.count("apart") / self.total

    def rate(self, scheduled: float, at_switch: float, step: int) -> float:
        """The learning rate of the step after ``step`` finished ones.

        Args:
            scheduled: what the run's own schedule says now.
            at_switch: what it said at the last switch, not cut by a ramp.
        """
        since = self.since_switch(step)
        if since is None or since >= self.ramp or at_switch <= self.floor:
            return scheduled
        return min(scheduled, (at_switch - self.floor) / self.ramp * (since + 1))


PUBLISHED = {
    "ResNet-50, 2 nodes": Schedule(90000, 24000, 6000, 300, 600),
    "ResNet-50, 4 nodes": Schedule(45000, 9300, 3000, 300, 750),
    "ResNet-50, 8 nodes": Schedule(22500, 6150, 1500, 150, 325),
    "ResNet-50, 16 nodes": Schedule(11250, 3750, 600, 75, 188),
    "ResNet-50, 32 nodes": Schedule(5700, 1900, 400, 38, 94),
    "ResNet-50, 64 nodes": Schedule(2850, 581, 94, 19, 47),
    "ViT-B/16, 2 nodes": Schedule(90000, 24600, 4360, 600, 1500),
    "ViT-B/16, 4 nodes": Schedule(45000, 12300, 2180, 300, 750),
    "VGG16, 2 nodes": Schedule(15000, 4330, 759, 60, 267),
}
"""The nine schedules in the configuration files of the authors' code, with the nodes of four GPUs each."""

NODES = {name: int(name.split()[-2]) for name in PUBLISHED}
"""Nodes of each published run."""
