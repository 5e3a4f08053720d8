"""Leaky integrate-and-fire neurons over a whole sequence at once, with a hand-written backward pass through time.

All linear layers of a feed-forward network can be computed for all steps at once; only leak, spike and reset are
sequential. So a layer here is one matrix product and one pass over the steps in which nothing is allocated, and its
backward pass is a single multiply-add per step.
"""

import itertools
import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from efficient_ai.petnet import _valid
from efficient_ai.petnet._events import Hits, on_raster
from efficient_ai.petnet._scan import integrate, leaky_sum_

RESETS = ("code", "paper")


def released_arctan(x: Tensor) -> Tensor:
    """Derivative that the released code puts in place of that of the step: ``1 / (1 + (pi x)^2)``."""
    return x.mul(math.pi).square_().add_(1).reciprocal_()


def paper_arctan(x: Tensor) -> Tensor:
    """The same as printed in the paper, smaller by pi in each layer: ``1 / (pi (1 + (pi x)^2))``."""
    return released_arctan(x) / math.pi


class _LIF(torch.autograd.Function):
    @staticmethod
    def forward(ctx, current, beta, threshold, reset, surrogate):
        leak = float(beta)
        # A reset before the leak (paper) takes leak * threshold away, one after it (code) the whole threshold.
        drop = threshold * (leak if reset == "paper" else 1.0)
        membrane, spikes = integrate(current, leak, drop, threshold)
        ctx.save_for_backward(membrane, spikes)
        ctx.set_materialize_grads(False)  # a membrane that no loss looks at shall not cost an array of zeros
        ctx.leak, ctx.threshold, ctx.reset, ctx.surrogate = leak, threshold, reset, surrogate
        return spikes, membrane

    @staticmethod
    def backward(ctx, grad_spikes, grad_membrane):
        membrane, spikes = ctx.saved_tensors
        if grad_spikes is None:
            grad = grad_membrane.clone(memory_format=torch.contiguous_format)
        else:
            grad = ctx.surrogate(membrane - ctx.threshold).mul_(grad_spikes)
            if grad_membrane is not None:
                grad += grad_membrane
        # The reset is detached: dL/dU[t] = own part + beta * dL/dU[t+1], and dL/dI = dL/dU.
        leaky_sum_(grad, ctx.leak, backwards=True)
        before = membrane[:-1]
        if ctx.reset == "paper":
            before = before - ctx.threshold * spikes[:-1]
        grad_beta = torch.dot(grad[1:].reshape(-1), before.reshape(-1)) if ctx.needs_input_grad[1] else None
        return grad, grad_beta, None, None, None


def lif(
    current: Tensor,
    beta: Tensor | float,
    *,
    threshold: float = 1.0,
    reset: str = "code",
    surrogate: Callable[[Tensor], Tensor] = released_arctan,
) -> tuple[Tensor, Tensor]:
    """Spikes and membrane of neurons that begin at rest.

    ``"code"``: ``U[t] = beta U[t-1] + I[t] - threshold S[t-1]`` (snnTorch's ``Leaky``, subtraction undecayed).
    ``"paper"``: ``U[t] = beta (U[t-1] - threshold S[t-1]) + I[t]``. In both ``S[t] = 1`` if ``U[t] > threshold``,
    strictly, and the reset carries no gradient.

    Args:
        current: input of each step, shape ``(steps, samples, neurons)``.
        beta: leak, one number for all neurons; gets a gradient if it is a tensor that wants one.
        threshold: a spike is sent above it.
        reset: ``"code"`` or ``"paper"``.
        surrogate: derivative of the spike by the membrane, as a function of the distance to the threshold.

    Returns:
        spikes (0 or 1) and membrane, both of the shape and type of ``current``.

    Raises:
        ValueError: an unknown reset, a threshold that is not positive, a leak that is none, or a current without the
            three axes.
    """
    _valid.choice("reset", reset, RESETS)
    _valid.number("threshold", threshold, 0, above=True)
    beta = torch.as_tensor(beta, dtype=current.dtype, device=current.device)
    _valid.number("beta", beta.item(), 0, 1)
    if current.ndim != 3 or len(current) == 0:
        raise ValueError(f"the current has shape {tuple(current.shape)}, not (steps, samples, neurons)")
    return _LIF.apply(current, beta, threshold, reset, surrogate)


class _Decay(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, keep):
        ctx.keep = keep
        return leaky_sum_(x.clone(memory_format=torch.contiguous_format), keep)

    @staticmethod
    def backward(ctx, grad):
        return leaky_sum_(grad.clone(memory_format=torch.contiguous_format), ctx.keep, backwards=True), None


def decay_filter(x: Tensor, keep: float) -> Tensor:
    """Each spike leaves an exponential trace: ``r[t] = keep r[t-1] + x[t]``; time is the first axis.

    Raises:
        ValueError: a ``keep`` beyond 0 and 1.
    """
    _valid.number("keep", keep, 0, 1)
    return _Decay.apply(x, keep)


class SpikingNetwork(nn.Module):
    """Fully connected layers of LIF neurons (section 3.4).

    Args:
        sizes: inputs, hidden layers, outputs.
        beta: leak of each layer at the start; learnt, one number a layer, kept within 0 and 1.
        threshold, reset, surrogate: as for :func:`lif`.
        generator: draws the weights, uniform within one over the root of the inputs, as torch's ``Linear``.

    Raises:
        ValueError: fewer than two sizes, an unknown reset, a threshold that is not positive, or a leak beyond 0 and 1.
    """

    def __init__(
        self,
        sizes: tuple[int, ...],
        *,
        beta: float = 0.95,
        threshold: float = 1.0,
        reset: str = "code",
        surrogate: Callable[[Tensor], Tensor] = released_arctan,
        generator: torch.Generator | None = None,
    ):
        super().__init__()
        if len(sizes) < 2:
            raise ValueError(f"sizes={sizes!r}: give inputs and outputs at least")
        sizes = tuple(_valid.count("a size of the network", each, 1) for each in sizes)
        _valid.choice("reset", reset, RESETS)
        _valid.number("threshold", threshold, 0, above=True)
        _valid.number("beta", beta, 0, 1)
        self.sizes, self.threshold, self.reset, self.surrogate = tuple(sizes), threshold, reset, surrogate
        self.linear = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(sizes))
        self.beta = nn.Parameter(torch.full((len(sizes) - 1,), float(beta)))
        for layer in self.linear:
            bound = 1 / math.sqrt(layer.in_features)
            for parameter in layer.parameters():
                nn.init.uniform_(parameter, -bound, bound, generator=generator)

    def forward(self, spikes: Tensor) -> Tensor:
        """Input raster, shape ``(steps, samples, inputs)``, to output raster ``(steps, samples, outputs)``."""
        return self.layers(spikes)[-1][0]

    def layers(self, spikes: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Spikes and membrane of every layer."""
        return self._from_current(self.linear[0](spikes))

    def from_hits(
        self, hits: Hits, samples: int, steps: int, window: Tensor | None = None, value: float = 0.1
    ) -> Tensor:
        """The same output from a list of hits, whose rows of the first weights are added where they belong.

        A raster is nearly empty, and a product with it is mostly a product with zeros. Geometry channels are linear in
        the hits, so their weights are folded into those of the crystals.

        Args:
            hits: of ``samples`` samples of ``steps`` bins.
            window: of the geometry channels, if the network has them; ``value`` as for :func:`geometry_channels`.

        Returns:
            shape ``(steps, samples, outputs)``.

        Raises:
            ValueError: hits that have no place, or a window that does not fit to the inputs.
        """
        first, rows = self.linear[0], self.rows(window, value)
        hits = on_raster(hits, samples, len(rows), steps)
        current = first.bias.expand(steps, samples, -1).clone()
        place = [torch.from_numpy(each).to(rows.device) for each in (hits.time, hits.sample)]
        chosen = rows[torch.from_numpy(hits.crystal).to(rows.device)]
        return self._from_current(current.index_put(place, chosen, accumulate=True))[-1][0]

    def rows(self, window: Tensor | None = None, value: float = 0.1) -> Tensor:
        """What a hit of each crystal adds to the first layer, geometry channels folded in: shape ``(crystals, neurons)``.

        Raises:
            ValueError: a window that does not fit to the inputs.
        """
        rows = self.linear[0].weight.T
        if window is None:
            return rows
        self.check_window(window)
        return rows[: len(window)] + value * window.to(rows) @ rows[len(window) :]

    def check_window(self, window: Tensor) -> None:
        """Raises a ValueError if a window of geometry channels does not fit to the inputs."""
        inputs = self.sizes[0]
        if window.ndim != 2 or 2 * window.shape[0] != inputs or 2 * window.shape[1] != inputs:
            raise ValueError(
                f"a window of shape {tuple(window.shape)} does not fit to {inputs} inputs: half of them are crystals, and "
                "each has a row and a column"
            )

    def _from_current(self, current: Tensor) -> list[tuple[Tensor, Tensor]]:
        traces = []
        for layer, beta in enumerate(self.beta.clamp(0, 1)):
            if layer:
                current = self.linear[layer](traces[-1][0])
            traces.append(
                lif(current, beta, threshold=self.threshold, reset=self.reset, surrogate=self.surrogate)
            )
        return traces


def geometry_channels(spikes: Tensor, window: Tensor, value: float = 0.1) -> Tensor:
    """Stack under each raster the crystals opposite its hits, with ``value`` each; overlapping windows add up (3.3).

    Made from the hits alone; the true partner is not known here.

    Args:
        spikes: shape ``(steps, samples, crystals)``.
        window: :meth:`Detector.window`, shape ``(crystals, crystals)``.

    Returns:
        shape ``(steps, samples, 2 * crystals)``.
    """
    return torch.cat([spikes, value * (spikes @ window)], dim=-1)
