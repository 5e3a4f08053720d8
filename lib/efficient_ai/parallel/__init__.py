"""MPI ranks from a notebook: start them, run functions on them, count what they send.

``run_ranks(function, n, ...)``   one function on n fresh ranks, once; no notebook needed
Errors: ``RankError`` (one rank failed), ``Hang`` (time is up, with the stack of each rank), ``ClusterError`` (no ranks)

A function that runs on ranks is called as ``function(comm, *args, **kwargs)``; ``comm`` is the communicator.
"""

from ._errors import ClusterError, Hang, RankError
from ._ranks import run_ranks

__all__ = ["ClusterError", "Hang", "RankError", "run_ranks"]
