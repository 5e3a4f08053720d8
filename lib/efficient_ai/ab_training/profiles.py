"""The three sizes of the chapter."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Profile:
    """How much is run.

    Args:
        seeds: repetitions of each walk that a claim rests on.
        steps: of a walk.
    """

    seeds: int
    steps: int

    @property
    def seed_list(self) -> list[int]:
        return list(range(self.seeds))


_LAPTOP = Profile(seeds=10, steps=400)

PROFILES = {
    "smoke": replace(_LAPTOP, seeds=3, steps=100),
    "laptop": _LAPTOP,
    "full": replace(_LAPTOP, seeds=30, steps=4000),
}
