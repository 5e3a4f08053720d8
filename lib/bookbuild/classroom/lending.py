"""What of ours a student's code may touch: which values go over as copies, which attributes it may ask for."""

import sys
import types
from typing import Any

import cloudpickle

# Of a communicator only what exchanges messages: others could start programs, or end all ranks.
_MESSAGES = (
    "send ssend isend issend recv irecv sendrecv Send Ssend Isend Issend Recv Irecv Sendrecv probe iprobe Probe Iprobe "
    "barrier Barrier Ibarrier bcast Bcast Ibcast reduce Reduce Ireduce allreduce Allreduce Iallreduce gather Gather Igather "
    "allgather Allgather Iallgather scatter Scatter Iscatter alltoall Alltoall Ialltoall scan Scan exscan Exscan "
    "Reduce_scatter_block Gatherv Scatterv Allgatherv Alltoallv Split Dup Free rank size Get_rank Get_size "
    "wait Wait test Test Cancel source tag Get_source Get_tag Get_count"
).split()
_CONSTANTS = "SUM PROD MAX MIN LAND LOR BAND BOR ANY_SOURCE ANY_TAG IN_PLACE DOUBLE FLOAT INT INT64_T PROC_NULL".split()
_BY_NAME = ("builtins", "math", "operator", "numpy", "torch")


def by_value(value: Any) -> bool:
    """Whether a copy goes over: networks, and objects of the library that do not watch what is done with them."""
    kind = type(value)
    if isinstance(value, (types.FunctionType, types.BuiltinFunctionType, type)):
        return (value.__module__ or "").split(".")[0] in _BY_NAME
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, (torch.nn.Module, torch.Generator, torch.device)):
        return True
    home = kind.__module__
    return home.startswith("efficient_ai.") and not home.startswith("efficient_ai.parallel") and "benches" not in home.split(".")  # fmt: skip


def refused(target: Any, name: Any) -> str:
    """Why an attribute is not lent; empty if it is."""
    kind = f"{type(target).__name__} has no {name}"
    if type(name) is not str or name.startswith("_") or isinstance(target, (types.ModuleType, type)):
        return kind
    if isinstance(target, (types.FunctionType, types.MethodType, types.BuiltinFunctionType, types.GeneratorType, types.FrameType)):  # fmt: skip
        return kind
    mpi = sys.modules.get("mpi4py.MPI")
    if mpi is not None and isinstance(target, (mpi.Comm, mpi.Request, mpi.Status)):
        return "" if name in _MESSAGES else f"{kind} that an exercise needs"
    if isinstance(getattr(target, name, None), (types.ModuleType, type)):
        return kind
    return "" if type(target).__module__.startswith(("efficient_ai.", "judged")) else kind


def mpi_constant(name: Any) -> Any:
    """A constant of MPI by its name."""
    if name not in _CONSTANTS:
        raise AttributeError(f"MPI has no {name} that an exercise needs")
    from mpi4py import MPI

    return getattr(MPI, name)


def plain_messages() -> None:
    """Let mpi4py send objects as plain data: bytes of a student's must never be unpickled on a rank."""
    from mpi4py import MPI

    MPI.pickle.__init__(_dumps, _loads)


def _dumps(value: Any, *_: Any) -> bytes:
    from bookbuild.classroom.guest.codec import Frame, Writer

    return Writer(Frame(host=True), _record).message(value)


def _record(value: Any) -> tuple[bytes, Any]:
    kind = type(value)
    if hasattr(value, "__dict__") and "benches" in kind.__module__.split("."):
        return b"o", (f"{kind.__module__}:{kind.__name__}", tuple(vars(value)), tuple(vars(value).values()))
    if isinstance(value, tuple):
        return b"=", tuple(value)
    raise TypeError(
        f"an object of type {kind.__name__} cannot be sent from rank to rank here; send numbers, texts, lists, arrays"
    )


def _loads(data: Any) -> Any:
    from bookbuild.classroom.guest.codec import Frame
    from bookbuild.classroom.guest.reading import Reader

    def shell(name: str, names: tuple) -> Any:
        import dataclasses

        module, _, kind = name.partition(":")
        found = getattr(sys.modules.get(module), kind, None)
        if "benches" not in module.split(".") or not dataclasses.is_dataclass(found):
            raise TypeError(f"no object of type {kind} is known here")
        return object.__new__(found)

    def other(tag: bytes, plain: Any) -> Any:
        if tag == b"=":
            return plain
        raise TypeError("no plain message")

    return Reader(Frame(host=False), other, shell).message(bytes(data))


def packed(value: Any) -> bytes:
    """A copy of a value, with the code of its class where the student's library lacks that."""
    benches = [module for name, module in list(sys.modules.items()) if "benches" in name.split(".")]
    here = [
        module for module in benches if module.__name__ not in cloudpickle.list_registry_pickle_by_value()
    ]
    for module in here:
        cloudpickle.register_pickle_by_value(module)
    try:
        return cloudpickle.dumps(value)
    finally:
        for module in here:
            cloudpickle.unregister_pickle_by_value(module)
