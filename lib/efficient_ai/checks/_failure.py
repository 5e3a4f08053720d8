"""The one way in which a check fails."""


class CheckFailed(AssertionError):
    """A check that did not hold. Its text is the whole message: what is wrong, where, and perhaps a hint."""

    def _render_traceback_(self) -> list[str]:
        # IPython prints these lines instead of a traceback: the frames of the checks would teach nothing.
        return str(self).splitlines()


class NotWritten(CheckFailed):
    """The reader has not begun: no answer, so no wrong one."""

    def __init__(self) -> None:
        super().__init__(
            "not written yet. Replace `raise NotImplementedError()` by your code and run your cell."
        )
