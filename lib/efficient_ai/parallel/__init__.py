"""MPI ranks from a notebook: start them, run functions on them, count what they send.

``start_cluster(n)``              n engines that are MPI ranks, for a whole notebook; decides where they run
``Cluster``, ``Job``              run and submit functions; watch, stop, restart
``publish(value)``                inside a submitted function: show a value to the notebook while it runs
``run_ranks(function, n, ...)``   one function on n fresh ranks, once; no notebook needed
``CountingComm(comm)``            the same communicator, writing down messages, bytes, partners, time in a ``Record``
``gather_traffic(comm)``          the records of all ranks as a ``Traffic``: matrices and a table
``traffic_timeline``, ``traffic_matrix``   figures of a ``Traffic``
Errors: ``RankError`` (one rank failed), ``Hang`` (time is up, with the stack of each rank), ``ClusterError`` (no ranks),
``Interrupted`` (the reader stopped a call)

A function that runs on ranks is called as ``function(comm, *args, **kwargs)``; ``comm`` is the communicator.
"""

from importlib import import_module

from ._cluster import Cluster, start_cluster
from ._engine import publish
from ._errors import ClusterError, Hang, Interrupted, RankError
from ._job import Job
from ._ranks import run_ranks
from ._traffic import Record, Traffic

__all__ = [
    "Cluster",
    "ClusterError",
    "CountingComm",
    "Hang",
    "Interrupted",
    "Job",
    "RankError",
    "Record",
    "Traffic",
    "gather_traffic",
    "publish",
    "run_ranks",
    "start_cluster",
    "traffic_matrix",
    "traffic_timeline",
]

# Imported when first used. mpi4py starts MPI at its import, which must not happen in a notebook's own process, and
# ranks that draw nothing need no plotly.
_LATE = {
    "CountingComm": "_counting",
    "gather_traffic": "_counting",
    "traffic_matrix": "_drawing",
    "traffic_timeline": "_drawing",
}


def __getattr__(name: str):
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_LATE[name]}", __name__), name)
