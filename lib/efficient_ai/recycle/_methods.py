"""Everything that is trained in the chapter, by name: how its input is cut and how it is built."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from efficient_ai import forecasters
from efficient_ai.recycle._baselines import DLinear, NLinear
from efficient_ai.recycle._calendar import METADATA
from efficient_ai.recycle._network import HourlyTwin, ReCycle
from efficient_ai.recycle._windows import Recipe
from efficient_ai.seeds import seed_for


class Stepwise(nn.Module):
    """A model of ``(batch, steps, 1)`` that is fed the historic steps of a window and returns whole days."""

    def __init__(self, model: nn.Module, cycle: int, history: int, marks: bool = False):
        super().__init__()
        self.model, self.cycle, self.history, self.marks = model, cycle, history, marks

    def forward(self, x: Tensor) -> Tensor:
        """Forecast ``(batch, F, cycle)`` from ``x`` ``(batch, H + F, cycle + m)``."""
        steps = x[:, : self.history, : self.cycle].flatten(1).unsqueeze(-1)
        given = (
            (steps, x[:, :, self.cycle :].repeat_interleave(self.cycle, dim=1)) if self.marks else (steps,)
        )
        return self.model(*given).squeeze(-1).unflatten(1, (-1, self.cycle))


@dataclass(frozen=True)
class Method:
    """A network and the recipe of its windows.

    Args:
        build: ``build(cycle) -> network``; weights come from torch's generator, which the caller seeds.
        recipe: how windows become input.
        slow: one epoch costs so much that the chapter gives it processor seconds instead of epochs.
    """

    build: Callable[[int], nn.Module]
    recipe: Recipe
    slow: bool = False


RESIDUAL = Recipe()
RAW = Recipe(residual_input=False)


METHODS = {
    "ReCycle": Method(lambda cycle: ReCycle(cycle), RESIDUAL),
    "ReCycle, zero head": Method(lambda cycle: ReCycle(cycle, zero_head=True), RESIDUAL),
    "ReCycle, zero head, dropout": Method(lambda cycle: ReCycle(cycle, zero_head=True, dropout=0.1), RESIDUAL),
    "days, no residual": Method(lambda cycle: ReCycle(cycle, residual=False), RAW),
    "days, no profile": Method(
        lambda cycle: ReCycle(cycle, residual=False), Recipe(residual_input=False, decoder_profile=False)
    ),
    "NLinear": Method(lambda cycle: NLinear(cycle), RAW),
    "DLinear": Method(lambda cycle: DLinear(cycle), RAW),
    "hourly tokens": Method(lambda cycle: HourlyTwin(cycle), RESIDUAL, slow=True),
    "PatchTST": Method(
        lambda cycle: Stepwise(forecasters.PatchTST(21 * cycle, 7 * cycle, dropout=0.1), cycle, 21), RAW, slow=True
    ),
    "Autoformer": Method(
        lambda cycle: Stepwise(
            forecasters.Autoformer(21 * cycle, 7 * cycle, marks=METADATA, encoders=1, window=cycle + 1), cycle, 21, marks=True
        ),
        RAW,
        slow=True,
    ),
}  # fmt: skip


def build(name: str, cycle: int, seed: int, **replaced) -> nn.Module:
    """The network of a method with the weights of ``seed``; ``replaced`` goes to :class:`ReCycle` instead of the method's own.

    The global generator of torch is left as it was.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_for(seed))
        return ReCycle(cycle, **replaced) if replaced else METHODS[name].build(cycle)
