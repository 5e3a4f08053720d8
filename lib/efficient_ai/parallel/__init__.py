"""MPI ranks from a notebook: start them, run functions on them, count what they send.

``start_cluster(n)``              n engines that are MPI ranks, for a whole notebook; decides where they run
``Cluster``, ``Job``              run and submit functions; watch, stop, restart
``publish(value)``                inside a submitted function: show a value to the notebook while it runs
``run_ranks(function, n, ...)``   one function on n fresh ranks, once; no notebook needed
Errors: ``RankError`` (one rank failed), ``Hang`` (time is up, with the stack of each rank), ``ClusterError`` (no ranks)

A function that runs on ranks is called as ``function(comm, *args, **kwargs)``; ``comm`` is the communicator.
"""

from ._cluster import Cluster, start_cluster
from ._engine import publish
from ._errors import ClusterError, Hang, RankError
from ._job import Job
from ._ranks import run_ranks

__all__ = ["Cluster", "ClusterError", "Hang", "Job", "RankError", "publish", "run_ranks", "start_cluster"]
