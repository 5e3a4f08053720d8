"""What can go wrong with a set of ranks, as exceptions that say what happened and where."""


class ClusterError(RuntimeError):
    """The ranks could not be started, or are gone. The message gives the reason the processes gave."""


class RankError(RuntimeError):
    """The function failed on one rank.

    Attributes: ``rank`` (lowest rank that failed), ``traceback`` (its text, empty if the process died without one).
    """

    def __init__(self, rank: int, traceback: str, reason: str | None = None):
        last = traceback.strip().rsplit("\n", 1)[-1]
        super().__init__(f"rank {rank}: {reason or last}" + (f"\n{traceback}" if traceback else ""))
        self.rank = rank
        self.traceback = traceback


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
        super().__init__(f"not finished after {limit:g} s (ranks finished: {done})\n{waiting}{note}")
        self.stacks = stacks
        self.finished = finished
