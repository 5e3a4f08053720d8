"""A cluster: ipyparallel engines that are the ranks of one MPI world."""

import atexit
import os
import shutil
import signal
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ipyparallel

from .._paths import build_dir
from ..metering import remark, withdraw
from . import _engine, _slurm
from ._errors import ClusterError
from ._job import Job
from ._magic import LimitedView, connect_to_notebook
from ._mpi import end_guarded, find_mpiexec, rank_environment, reason, start_guarded
from ._notes import first_death, read, refuse_wrong_world, stack_text
from ._place import Place, choose
from ._ranks import check_limit, check_size, pack

_ENGINE_MAIN = str(Path(__file__).with_name("_engine_main.py"))
_current: "Cluster | None" = None


def start_cluster(
    n: int,
    *,
    where: str = "auto",
    timeout: float = 60.0,
    cell_timeout: float = 600.0,
    template: str | Path | None = None,
    address: str | None = None,
) -> "Cluster":
    """Start ``n`` engines, rank 0 to n - 1 of one MPI world, and print in one line what was chosen.

    where: ``laptop`` (this machine), ``allocation`` (the Slurm allocation this process is in), ``slurm`` (a job of
    its own) or ``auto``, which takes the first that applies of allocation, slurm, laptop.
    timeout: seconds for the whole start. cell_timeout: seconds that one ``%%px`` cell may take.
    template: batch script for ``slurm``, text or file, see ``hpc/slurm/engines.sbatch``.
    address: network address at which engines reach this process; needed only if several are possible.

    One process has one cluster: an earlier one is stopped. Raises ClusterError with the reason the engines gave.
    """
    n, timeout, cell_timeout = check_size(n), check_limit(timeout), check_limit(cell_timeout)
    place = choose(where)
    if place.kind == "slurm" and n > place.cores:
        raise ClusterError(
            f"asked for {n} ranks, but the usable nodes of this Slurm have {place.cores} CPUs in all"
        )
    if _current is not None:
        print(
            f"The cluster of {_current.n} rank{'s' * (_current.n > 1)} from before is stopped: a notebook has one."
        )
        _current.stop()
    return Cluster(n, place, timeout, cell_timeout, template, address)


class Cluster:
    """``n`` MPI ranks to run functions on. Made by ``start_cluster``; a context manager that stops at its end.

    n: number of ranks. place: where they run. client: the ``ipyparallel.Client``. view: a view on all engines in
    rank order, used by ``%%px``. After a restart, ``client`` and ``view`` are new objects.
    """

    def __init__(self, n: int, place: Place, timeout: float, cell_timeout: float, template, address):
        self.n, self.place, self.timeout = n, place, timeout
        self._cell_timeout, self._template, self._address = cell_timeout, template, address
        self._job: Job | None = None
        self._start()
        print(self)

    # -- running ------------------------------------------------------------------------------------------------

    def run(self, function: Callable, *args: Any, timeout: float = 60.0, **kwargs: Any) -> list:
        """Run ``function(comm, *args, **kwargs)`` on every rank; the n results in rank order.

        ``comm`` spans all ranks; it is a fresh duplicate of ``MPI.COMM_WORLD``, so that messages which a failed
        call left behind do not reach this one. ``timeout`` in seconds. Errors as in ``Job.result``.
        """
        return self.submit(function, *args, timeout=timeout, **kwargs).result()

    def submit(self, function: Callable, *args: Any, timeout: float = 60.0, **kwargs: Any) -> Job:
        """As ``run``, but returns at once with a ``Job`` to watch. One job at a time."""
        timeout, payload = check_limit(timeout), pack(function, args, kwargs)
        if self._client is None:
            raise ClusterError(
                "this cluster is stopped: start one with start_cluster, or this one with .restart()"
            )
        if self._job is not None and not self._job.done:
            raise ClusterError(
                "a job is still running on these ranks: wait for its .result(), or .restart() the ranks"
            )
        self.revive()
        replies = [self._client[engine].apply_async(_engine.call, payload) for engine in self.view.targets]
        self._job = Job(self, replies, timeout)
        return self._job

    def stacks(self, cell: str = "") -> dict[int, str]:
        """Where each rank stands right now: its Python stack as text. Works inside blocking MPI calls too."""
        for rank in range(self.n):
            os.truncate(self.folder / f"stack-{rank}", 0)
        self.send(signal.SIGUSR1)
        end, dumps = time.monotonic() + 3.0, {}
        while len(dumps) < self.n and time.monotonic() < end:
            time.sleep(0.1)
            dumps = {rank: text for rank in range(self.n) if (text := read(self.folder / f"stack-{rank}"))}
        return {
            rank: stack_text(dumps.get(rank, ""), self._main_threads[rank], cell) for rank in range(self.n)
        }

    def send(self, number: int, ranks: Sequence[int] | None = None) -> None:
        """Send a signal to the processes of all or some ranks; those that are gone are left out."""
        wanted = range(self.n) if ranks is None else ranks
        there = [engine for rank in wanted if (engine := self.view.targets[rank]) in self.client.ids]
        self.client.send_signal(number, targets=there, block=False)

    # -- life ---------------------------------------------------------------------------------------------------

    @property
    def alive(self) -> bool:
        """Whether the processes of all ranks are there."""
        gone = self._client is None or self._engines.poll() is not None or self._controller.poll() is not None
        return not gone and first_death(self.folder) is None

    @property
    def client(self) -> ipyparallel.Client:
        """The connection to the engines. ClusterError if the cluster is stopped."""
        if self._client is None:
            raise ClusterError("this cluster is stopped: start one with start_cluster")
        return self._client

    def stop(self) -> None:
        """End all processes of the cluster and remove its files. Harmless on a stopped cluster."""
        global _current
        withdraw(self._name)
        self._disconnect()
        if self._job is not None:
            self._job.abandon()
        if self._client is not None:
            self._client.close(linger=0)
            self._client = None
        for process in (self._engines, self._controller):
            if process is not None:
                end_guarded(process)
        shutil.rmtree(self.folder, ignore_errors=True)
        atexit.unregister(self.stop)
        _current = None if _current is self else _current

    def restart(self) -> None:
        """Stop, and start again with the same settings. Everything the engines held is gone."""
        self.stop()
        if _current is not None:
            _current.stop()
        self._start()

    def revive(self) -> None:
        """If engines have died, say which one and how, and start a new set. Called before and after each cell."""
        if self._client is None:
            return
        # The client may hear of a death before the guard has written it down, and the other way round.
        if len(self._client.ids) < self.n or not self.alive:
            death = self._death(patience=2.0)
            how = (
                f"Rank {death[0]} {death[1]}, and MPI ended all ranks with it."
                if death
                else "The engines are gone."
            )
            print(f"{how} {self.restart_after('that')}", file=sys.stderr)

    def _death(self, patience: float) -> tuple[int, str] | None:
        """Who died first and how; None if nobody wrote it down within ``patience`` seconds."""
        until = time.monotonic() + patience
        while (death := first_death(self.folder)) is None and time.monotonic() < until:
            time.sleep(0.05)
        return death

    def restart_after(self, what: str) -> str:
        """Restart because of ``what``; one sentence for the reader."""
        self.restart()
        return f"After {what} a new set of {self.n} engines is up; what the old ones held in memory is gone."

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<Cluster of {self.n}, {self.place.kind}, {'running' if self.alive else 'stopped'}>"

    def __str__(self) -> str:
        if self._client is None:
            return f"Cluster of {self.n}, stopped"
        cores = self.place.cores
        share = (
            "each has its own"
            if self.n <= cores
            else "more ranks than cores, so they share and speed says little"
        )
        ranks = f"{self.n} MPI rank{'s' * (self.n > 1)}"
        return f"{ranks} {self.place.text}; {cores} core{'s' * (cores != 1)}: {share}. {self._library}"

    # -- starting -----------------------------------------------------------------------------------------------

    def _start(self) -> None:
        global _current
        self._client, self._disconnect = None, lambda: None
        self._name = f"engines-{uuid.uuid4().hex[:8]}"
        shared = None
        if self.place.kind == "slurm" or self.place.nodes > 1:  # the engines' nodes must see it
            shared = build_dir() / "parallel"
            shared.mkdir(parents=True, exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix=f"{self._name}-", dir=shared))
        self._deadline = time.monotonic() + self.timeout
        self._controller = self._engines = None
        atexit.register(self.stop)
        _current = self
        try:
            # Both at once: an engine imports its modules while the controller does.
            self._controller = self._start_controller()
            self._engines = self._start_engines()
            self._connect()
        except BaseException:
            self.stop()
            raise

    def _start_controller(self):
        command = [sys.executable, "-m", "ipyparallel.controller", f"--profile-dir={self.folder}", "--nodb"]
        command += ["--log-level=WARN", "--usethreads", "--IPController.broadcast_scheduler_depth=0"]
        # An engine counts as registered after its first heartbeat, so a short period is a fast start.
        command += ["--HeartMonitor.period=500", "--HeartMonitor.max_heartmonitor_misses=120"]
        near = self.place.kind == "laptop" or (self.place.kind == "allocation" and self.place.nodes == 1)
        command += [f"--ip={self._address or ('127.0.0.1' if near else '*')}"]
        if not near:
            command += ["--IPController.enable_curve=True"]  # encrypted where it leaves the machine
        return start_guarded(command, self.folder, "controller.log", rank_environment())

    def _start_engines(self):
        path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
        environment = rank_environment(
            local=self.place.kind != "slurm" and self.place.nodes == 1,
            PYTHONPATH=path,
            IPYTHONDIR=str(self.folder / "ipython"),
        )
        if self.place.kind == "slurm" or self.place.nodes > 1:
            elsewhere = "in a Slurm job of their own" if self.place.kind == "slurm" else "on other nodes, too"
            note = f"{self.n} engines run {elsewhere}: what they use there is not in this number; measure_job is meant"
            remark(note, of=self._name)
        engine = [sys.executable, _ENGINE_MAIN, str(self.folder), str(self.n), str(self.timeout), "--mpi"]
        engine += [f"--profile-dir={self.folder}", "--log-level=WARN", f"--timeout={self.timeout}"]
        if self.place.kind != "slurm":
            command = [find_mpiexec(), "-n", str(self.n), *engine]
            return start_guarded(command, self.folder, "engines.log", environment)
        script = _slurm.write_script(self.folder, self._name, self.n, engine, self._template)
        return start_guarded(
            ["sbatch", "--wait", str(script)],
            self.folder,
            "submit.log",
            environment,
            after=_slurm.cancel_command(self._name),
        )

    def _connect(self) -> None:
        """Wait for the controller and all engines, then check that they are the ranks of one world."""
        file = self.folder / "security" / "ipcontroller-client.json"
        self._wait(lambda: read(file).rstrip().endswith("}"), "the controller")
        try:
            self._client = ipyparallel.Client(str(file), timeout=self._left())
            self._wait(lambda: len(self._client.ids) == self.n, "the engines")
            asked = self._client[:].apply_async(_engine.prepare, str(self.folder))
            told = dict(zip(self._client.ids, asked.get(self._left()), strict=True))
        except TimeoutError as error:
            raise ClusterError(f"the cluster came up but did not answer in {self.timeout:g} s") from error
        if sorted(rank for rank, *_ in told.values()) != list(range(self.n)):
            raise ClusterError(
                f"the engines are not ranks 0 to {self.n - 1}: {sorted(rank for rank, *_ in told.values())}"
            )
        in_rank_order = sorted(told, key=lambda engine: told[engine][0])
        self._main_threads = [told[engine][1] for engine in in_rank_order]
        self._library = told[in_rank_order[0]][2]
        mine = self._client

        def stacks(cell: str) -> dict[int, str] | None:
            return self.stacks(cell) if self._client is mine and self.alive else None

        self.view = LimitedView(mine, in_rank_order, self._cell_timeout, stacks)
        self._disconnect = connect_to_notebook(self.view, self.revive)

    def _left(self) -> float:
        return max(self._deadline - time.monotonic(), 0.1)

    def _wait(self, ready: Callable[[], bool], what: str) -> None:
        """Until ``ready()``; ClusterError with the reason the processes gave if they end, or if time is up."""
        while not ready():
            refuse_wrong_world(self.folder, self.n, "srun" if self.place.kind == "slurm" else find_mpiexec())
            for process, log in ((self._controller, "controller.log"), (self._engines, "engines.log")):
                ended = process.poll() is not None or (log == "engines.log" and first_death(self.folder))
                if ended:
                    raise ClusterError(f"{log[:-4]} did not come up: {self._reason(log)}")
            if time.monotonic() > self._deadline:
                raise ClusterError(
                    f"{what} did not come up in {self.timeout:g} s: {self._reason('engines.log')}"
                )
            time.sleep(0.05)

    def _reason(self, log: str) -> str:
        if log == "engines.log" and self.place.kind == "slurm":
            return _slurm.explain(self._name, self.folder)
        return reason(self.folder / log)
