"""The notebook side of a cluster: ``%%px`` with a time limit, output in rank order, news of dead engines."""

import contextlib
import signal
import sys
import threading
from typing import TYPE_CHECKING

import ipyparallel

if TYPE_CHECKING:
    from ._cluster import Cluster


class LimitedView(ipyparallel.DirectView):
    """A view on all engines in rank order whose cells do not run for ever.

    When a cell is not done after ``limit`` seconds, it is said where each rank stands and the engines are ended.
    """

    def __init__(self, cluster: "Cluster", targets: list[int], limit: float):
        client = cluster.client
        super().__init__(client, client._mux_socket, targets=targets)
        self.block = True
        self._cluster_of_view, self._limit = cluster, limit

    def execute(self, code, silent=True, targets=None, block=None, label=None):
        answer = super().execute(code, silent=silent, targets=targets, block=False, label=label)
        timer = threading.Timer(self._limit, self._too_late, [answer, code])
        timer.daemon = True
        answer.add_done_callback(lambda _: timer.cancel())
        timer.start()
        if self.block if block is None else block:
            answer.get()
            answer.wait_for_output(5)
        return answer

    def _too_late(self, answer, code) -> None:
        if answer.ready():
            return
        stacks = self._cluster_of_view.stacks(code)
        text = "\n".join(f"rank {rank} stands in\n{stack}" for rank, stack in stacks.items())
        print(
            f"This cell was not finished after {self._limit:g} s; the engines are ended.\n{text}",
            file=sys.stderr,
        )
        self.client.send_signal(signal.SIGKILL, targets=self.targets, block=False)


def _shell():
    """The IPython shell we run in, or None."""
    module = sys.modules.get("IPython")
    return module.get_ipython() if module else None


def connect_to_notebook(cluster: "Cluster") -> None:
    """Point ``%%px`` at this cluster and look after each cell whether its engines live."""
    shell = _shell()
    if shell is None:
        return
    cluster.view.activate()
    magics = shell.magics_manager.registry["ParallelMagics"]
    magics.stream_output = False  # output when the cell is done, in rank order
    magics.progress_after_seconds = -1  # no bar that comes and goes in the rendered page

    # A fresh function each time: the bound method cannot be registered twice, and a restart comes from inside it.
    cluster._after_cell = lambda *_: cluster.revive()
    shell.events.register("post_run_cell", cluster._after_cell)


def disconnect_from_notebook(cluster: "Cluster") -> None:
    """Undo ``connect_to_notebook``."""
    shell, callback = _shell(), getattr(cluster, "_after_cell", None)
    if shell is not None and callback is not None:
        with contextlib.suppress(ValueError):
            shell.events.unregister("post_run_cell", callback)
    cluster._after_cell = None
