"""Seeds from (seed, rank): every rank draws numbers of its own, the same ones on every machine."""

import numpy as np


def seed_for(seed: int, rank: int = 0) -> int:
    """A 63-bit seed for this rank, different for every pair ``(seed, rank)``.

    Neighbouring pairs give unrelated streams, which ``seed + rank`` does not: there, rank 1 of seed 0 and rank 0 of
    seed 1 would draw the same numbers.

    Raises:
        ValueError: a negative seed or rank.
    """
    return int(np.random.SeedSequence((seed, rank)).generate_state(1, dtype="uint64")[0] >> 1)
