"""The notebook side of a cluster: ``%%px`` with a time limit, output in rank order, news of dead engines."""

import contextlib
import signal
import sys
import threading
from collections.abc import Callable

import ipyparallel

from ._errors import Interrupted

_GRACE = 2.0  # seconds that ranks get to stop by themselves


class LimitedView(ipyparallel.DirectView):
    """A view on all engines in rank order whose cells do not run for ever.

    When a cell is not done after ``limit`` seconds, it is said where each rank stands and the engines are ended.

    client: the connection to the engines. stacks: takes the text of the cell and returns where each rank stands, or None
    where nobody stands any more: these engines are gone, or others have taken their place.
    """

    def __init__(
        self,
        client: ipyparallel.Client,
        targets: list[int],
        limit: float,
        stacks: Callable[[str], dict[int, str] | None],
    ):
        super().__init__(client, client._mux_socket, targets=targets)
        self.block = True
        self._limit, self._stacks = limit, stacks

    def execute(self, code, silent=True, targets=None, block=None, label=None):
        answer = super().execute(code, silent=silent, targets=targets, block=False, label=label)
        timer = threading.Timer(self._limit, self._too_late, [answer, code])
        timer.daemon = True
        answer.add_done_callback(lambda _: timer.cancel())
        timer.start()
        if self.block if block is None else block:
            try:
                answer.get()
            except KeyboardInterrupt:
                raise self._interrupted(answer) from None
            answer.wait_for_output(5)
        return answer

    def _interrupted(self, answer) -> Interrupted:
        """Stop the cell on the ranks, too; engines that stand in a call of MPI are ended, and new ones come up."""
        self.client.send_signal(signal.SIGINT, targets=self.targets, block=False)
        answer.wait(_GRACE)
        if answer.ready():
            return Interrupted(
                "Interrupted: the ranks stopped where they were, and keep what they hold in memory."
            )
        self.client.send_signal(signal.SIGKILL, targets=self.targets, block=False)
        return Interrupted(
            "Interrupted: the ranks stood in a call that cannot be interrupted, and are ended."
        )

    def _too_late(self, answer, code) -> None:
        stacks = None if answer.ready() else self._stacks(code)
        if stacks is None:
            return
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


def connect_to_notebook(view: LimitedView, after_cell: Callable[[], None]) -> Callable[[], None]:
    """Point ``%%px`` at a view and call ``after_cell`` after each cell; returns what undoes it."""
    shell = _shell()
    if shell is None:
        return lambda: None
    view.activate()
    magics = shell.magics_manager.registry["ParallelMagics"]
    magics.stream_output = False  # output when the cell is done, in rank order
    magics.progress_after_seconds = -1  # no bar that comes and goes in the rendered page

    # A fresh function each time: the bound method cannot be registered twice, and a restart comes from inside it.
    def callback(*_):
        after_cell()

    def undo() -> None:
        with contextlib.suppress(ValueError):
            shell.events.unregister("post_run_cell", callback)

    shell.events.register("post_run_cell", callback)
    return undo
