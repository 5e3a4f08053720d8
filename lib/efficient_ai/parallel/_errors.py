"""What can go wrong with a set of ranks, as exceptions that say what happened and where."""


class ClusterError(RuntimeError):
    """The ranks could not be started, or are gone. The message gives the reason the processes gave."""


class RankError(RuntimeError):
    """The function failed on one rank.

    Attributes: ``rank`` (lowest rank that failed), ``traceback`` (its text, empty if the process died without one).
    """

    def __init__(self, rank: int, traceback: str, how: str | None = None, note: str = ""):
        last = traceback.strip().rsplit("\n", 1)[-1]
        parts = [f"rank {rank}: {how or last}", traceback.strip(), note]
        super().__init__("\n".join(part for part in parts if part))
        self.rank = rank
        self.traceback = traceback


class Interrupted(KeyboardInterrupt):
    """The reader stopped a call on ranks. A notebook shows the message alone: there is no fault to look for in a traceback."""

    def _render_traceback_(self) -> list[str]:  # IPython's protocol
        return [str(self)]


class Hang(TimeoutError):
    """Some ranks were not finished when the time was up.

    Attributes: ``stacks`` maps each unfinished rank to the text of the Python stack it stood in, innermost call
    first; ``finished`` lists the ranks that were done.
    """

    def __init__(self, limit: float, stacks: dict[int, str], finished: list[int], note: str = ""):
        waiting = "\n".join(
            f"rank {rank} stands in\n{text.rstrip()}" for rank, text in sorted(stacks.items())
        )
        done = ", ".join(map(str, finished)) or "none"
        super().__init__(
            f"not finished after {limit:g} s (ranks finished: {done})\n{waiting}" + f"\n{note}" * bool(note)
        )
        self.stacks = stacks
        self.finished = finished
