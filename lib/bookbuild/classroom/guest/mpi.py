"""What a student's code finds as ``mpi4py``: constants and requests. Messages go through the communicator it is given."""

import sys
import types


class Constant:
    """A constant of MPI, by name: the host puts the real one in its place."""

    def __init__(self, name: str):
        self.name = name

    def __repr__(self) -> str:
        return f"MPI.{self.name}"


Constant.__module__ = "mpi4py.MPI"


class Request:
    """The functions of ``MPI.Request`` on several requests."""

    @staticmethod
    def waitall(requests: list) -> list:
        """Wait for all of them; what they brought."""
        return [request.wait() for request in requests]

    @staticmethod
    def Waitall(requests: list) -> bool:
        """Wait for all of them."""
        for request in requests:
            request.Wait()
        return True

    @staticmethod
    def testall(requests: list) -> bool:
        """Whether all are done."""
        return all([request.Test() for request in requests])

    Testall = testall


def install(constants: list[str]) -> None:
    """Let ``from mpi4py import MPI`` find this."""
    package, module = types.ModuleType("mpi4py"), types.ModuleType("mpi4py.MPI")
    for name in constants:
        setattr(module, name, Constant(name))
    module.Request, package.MPI = Request, module
    package.__path__ = []
    sys.modules["mpi4py"], sys.modules["mpi4py.MPI"] = package, module
