"""Wrong answers to the exercises on asynchronous search, one module per topic."""

from mutants.propulate import _islands, _pool, _search, _steps, _waiting

MUTANTS = [
    *_waiting.MUTANTS,
    *_steps.MUTANTS,
    *_search.MUTANTS,
    *_islands.MUTANTS,
    *_pool.MUTANTS,
]
