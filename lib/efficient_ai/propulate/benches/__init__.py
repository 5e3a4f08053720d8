"""Test benches of the exercises: they run the reader's functions, watch them, and say what is wrong.

* a small step: :func:`children`, :func:`one_gene_each`, :func:`spread_is`
* the clock that jumps: :func:`exponential_times`, :func:`slower_by`
* the loop of a worker: :func:`watched` on real MPI ranks, :func:`everyone_knows_everyone`
* who leaves an island: :func:`one_departure`, :func:`nobody_leaves`, :func:`chance_decides`
* its mail: :func:`on_shuffled_mail`, :func:`on_ranks_of_islands`, :func:`one_island_each`
* a pool that stays fast: :func:`parents_from_the_best`,
  :func:`parents_from_the_last`, :func:`pairs_equally_likely`, :func:`stays_cheap`
"""

from efficient_ai.propulate.benches._clock import exponential_times, slower_by
from efficient_ai.propulate.benches._leave import (
    Islander,
    Resident,
    chance_decides,
    nobody_leaves,
    one_departure,
)
from efficient_ai.propulate.benches._mail import on_ranks_of_islands, on_shuffled_mail, one_island_each
from efficient_ai.propulate.benches._pool import (
    Candidate,
    Looked,
    comparisons_per_step,
    pairs_equally_likely,
    parents_from_the_best,
    parents_from_the_last,
    stays_cheap,
)
from efficient_ai.propulate.benches._search import everyone_knows_everyone, watched
from efficient_ai.propulate.benches._steps import children, one_gene_each, spread_is

__all__ = [
    "Candidate",
    "Islander",
    "Looked",
    "Resident",
    "chance_decides",
    "children",
    "comparisons_per_step",
    "everyone_knows_everyone",
    "exponential_times",
    "nobody_leaves",
    "on_ranks_of_islands",
    "on_shuffled_mail",
    "one_departure",
    "one_gene_each",
    "one_island_each",
    "pairs_equally_likely",
    "parents_from_the_best",
    "parents_from_the_last",
    "slower_by",
    "spread_is",
    "stays_cheap",
    "watched",
]
