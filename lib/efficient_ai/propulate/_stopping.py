"""When a run ends."""

import math
from dataclasses import dataclass
from numbers import Real

from efficient_ai.propulate._population import Individual


@dataclass(frozen=True)
class Criteria:
    """When to stop: after so many evaluations of all islands together, after so many seconds, at this loss."""

    evaluations: int | None = None
    seconds: float | None = None
    target: float | None = None

    def check(self, workers: int) -> None:
        if self.evaluations is None and self.seconds is None and self.target is None:
            raise ValueError("when should the run stop? Give evaluations, seconds or target")
        if self.evaluations is not None and (
            isinstance(self.evaluations, bool)
            or not isinstance(self.evaluations, Real)
            or not self.evaluations == self.evaluations // 1
        ):
            raise ValueError(f"evaluations={self.evaluations!r}: give a whole number")
        if self.target is not None and not (isinstance(self.target, Real) and not math.isnan(self.target)):
            raise ValueError(f"target={self.target!r}: give the loss that is enough, a number")
        if self.evaluations is not None and self.evaluations < workers:
            raise ValueError(
                f"evaluations={self.evaluations}: each of the {workers} ranks evaluates at least one candidate"
            )
        if self.seconds is not None and not (isinstance(self.seconds, Real) and self.seconds > 0):
            raise ValueError(f"seconds={self.seconds!r}: the time must be positive")

    def met_by(self, individual: Individual) -> bool:
        """Whether its loss is the one that was looked for."""
        return self.target is not None and individual.loss <= self.target

    def share(self, block: range, workers: int) -> float:
        """The evaluations of one island, in proportion to its workers; all shares sum to the budget."""
        if self.evaluations is None:
            return math.inf
        total = int(self.evaluations)
        return total * block.stop // workers - total * block.start // workers
