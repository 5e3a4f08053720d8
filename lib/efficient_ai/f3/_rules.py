"""Learning rules: what each hidden block is told, and where from."""

from dataclasses import dataclass

from efficient_ai.f3._feedback import FEEDBACK
from efficient_ai.f3._signals import SIGNALS
from efficient_ai.f3._table import STORES

SCALES = ("sum", "mean")


@dataclass(frozen=True)
class Rule:
    """A learning rule. ``sweeps``: blocks are updated in the forward sweep, none waits for a later one."""

    sweeps = False
    uses_table = False

    @property
    def name(self) -> str:
        return type(self).__name__


@dataclass(frozen=True)
class Backpropagation(Rule):
    """The exact gradient: every block waits for all later ones, forward and back."""

    name = "BP"


@dataclass(frozen=True)
class LastLayerOnly(Rule):
    """Hidden blocks stay as they were drawn; the last one is trained. "Shallow learning" in the paper's code."""

    name = "LLO"
    sweeps = True


@dataclass(frozen=True)
class FeedbackAlignment(Rule):
    """δ passes back layer by layer, through fixed random matrices instead of the transposed weights (Lillicrap 2016).

    Args:
        feedback: how these begin, a key of ``FEEDBACK``; each has the shape of the weight that it replaces.
    """

    name = "FA"
    feedback: str = "kaiming uniform"

    def __post_init__(self):
        _known("feedback", self.feedback, FEEDBACK)


@dataclass(frozen=True)
class F3(Rule):
    """A hidden block descends along ``B_iᵀ e``, e being the error the sample had ``delay`` visits ago.

    ``F3(signal="target")`` is DRTP, ``F3(delay=0)`` is DFA.

    Args:
        signal: a key of ``SIGNALS``.
        delay: visits of a sample (epochs) between its error and its use; 0 waits for the output, as DFA does.
        initial: what stands in the table at first: ``"target"`` or ``"zero"``.
        feedback: how the B_i begin, a key of ``FEEDBACK``.
        feedback_scale: a factor on all of them.
        scale: ``"sum"`` as in the paper's code: a hidden gradient is a sum over the batch, while the loss is a mean.
            ``"mean"`` divides it by batch size times C, so that one rate of plain SGD suits all blocks.
        sign: +1 for the paper's ``target - output``, -1 for the other sign.
        store: how the table keeps its rows, one of ``STORES``.
    """

    signal: str = "error"
    delay: int = 1
    initial: str = "target"
    feedback: str = "trinomial"
    feedback_scale: float = 1.0
    scale: str = "sum"
    sign: int = 1
    store: str = "full"

    def __post_init__(self):
        _known("signal", self.signal, SIGNALS)
        _known("feedback", self.feedback, FEEDBACK)
        _known("scale", self.scale, SCALES)
        _known("store", self.store, STORES)
        _known("initial", self.initial, ("target", "zero"))
        if isinstance(self.delay, bool) or not isinstance(self.delay, int) or self.delay < 0:
            raise ValueError(f"delay is a whole number of epochs, 0 or more, not {self.delay!r}")
        if self.sign not in (1, -1) or isinstance(self.sign, bool):
            raise ValueError(f"sign is 1 or -1, not {self.sign!r}")
        if not 0 < abs(self.feedback_scale) < float("inf"):
            raise ValueError(f"feedback_scale is a finite number other than 0, not {self.feedback_scale!r}")

    @property
    def uses_table(self) -> bool:
        return self.signal not in ("target", "zero") and self.delay > 0

    @property
    def sweeps(self) -> bool:
        return self.signal in ("target", "zero") or self.delay > 0

    @property
    def name(self) -> str:
        if self.signal in ("target", "zero"):
            return {"target": "DRTP", "zero": "zero signal"}[self.signal]
        if self.delay == 0:
            return "DFA" if self.signal == "error" else f"DFA, {self.signal}"
        return "F³" if self.signal == "error" else f"F³, {self.signal}"


@dataclass(frozen=True)
class MonoForward(Rule):
    """Each hidden block has a trained head ``C x n_i`` of its own and descends along its own loss.

    No table, no delay, no random feedback (Mono-Forward, Gong et al. 2025).
    """

    name = "Mono-Forward"
    sweeps = True


@dataclass(frozen=True)
class Pepita(Rule):
    """A second forward pass with the error projected onto the input; differences of activations train (Dellaferrera 2022).

    Args:
        strength: standard deviation of the projection, times sqrt(2 / inputs).
    """

    name = "PEPITA"
    strength: float = 0.05


@dataclass(frozen=True)
class ForwardForward(Rule):
    """Hidden blocks learn to tell inputs with the right label from those with a wrong one (Hinton 2022).

    The label is appended to the input, so the first block takes C numbers more. The last block reads the activations for a
    neutral label.

    Args:
        threshold: of the goodness, the mean of squared activations.
    """

    name = "Forward-Forward"
    threshold: float = 0.5


def _known(what: str, value, known) -> None:
    if value not in known:
        raise ValueError(f"{what} {value!r} is not one of {', '.join(map(str, known))}")


DRTP = F3(signal="target")
DFA = F3(delay=0)
