"""The layers' forward and backward passes, written by hand as three products and one transpose (Section 3.6).

Autograd sees each of them as one operation. Nothing is differentiated through a message.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from efficient_ai.jigsaw._execute import execute, multiply, transpose
from efficient_ai.jigsaw._grid import Grid
from efficient_ai.jigsaw._tasks import Job
from efficient_ai.transport import Transport, gather_small


@dataclass(frozen=True)
class Place:
    """Where a rank stands: the grid of its model instance and the transport among its ranks."""

    grid: Grid
    transport: Transport

    @property
    def row(self) -> int:
        """This rank's row of the grid: which tokens (longitudes) it holds."""
        return self.grid.place(self.transport.rank)[0]

    @property
    def col(self) -> int:
        """This rank's column of the grid: which channels it holds."""
        return self.grid.place(self.transport.rank)[1]


def _both(
    place: Place, needed: Sequence[bool], jobs: Sequence[Job], operands: dict
) -> list[torch.Tensor | None]:
    """Those of two products that somebody needs, ``None`` for a frozen side: it costs neither work nor messages.

    With our schedule a block that both need travels once, with the paper's it travels twice. All ranks freeze the same layers.
    """
    wanted = [job for job, need in zip(jobs, needed, strict=True) if need]
    batches = [wanted] if place.grid.schedule == "balanced" and wanted else [[job] for job in wanted]
    found = iter(
        [one for batch in batches for one in execute(tuple(batch), operands, place.grid, place.transport)]
    )
    return [next(found) if need else None for need in needed]


def _needed(ctx) -> tuple[bool, bool]:
    """Whether the gradients of x and of w are needed. Where w learns, that of x is made in any case: its exchange is the shared one."""
    x, w = ctx.needs_input_grad[:2]
    return x or w, w


def _of_rows(ctx, jobs: Sequence[Job], operands: dict) -> tuple[torch.Tensor | None, ...]:
    """Gradients of x in its own shape, of w and of b, for the two layers that see all leading axes as one."""
    dx, dw = _both(ctx.place, _needed(ctx), jobs, operands)
    dx = None if dx is None else dx.reshape(ctx.shape)
    return dx, dw, operands["dy"].sum(0) if ctx.needs_input_grad[2] else None, None


def _rows(x: torch.Tensor) -> torch.Tensor:
    """All leading axes as one."""
    return x.reshape(-1, x.shape[-1])


class LinearXWT(torch.autograd.Function):
    """Y = X W^T + b with W stored (out, in). dX = dY W, dW = dY^T X: dY travels once for both."""

    @staticmethod
    def forward(ctx, x, w, b, place: Place):
        """``x [..., rows, in / cols]``, ``w [out / rows, in / cols]``, ``b [out / cols]`` or ``None`` to ``[..., rows, out / cols]``."""
        ctx.save_for_backward(x, w)
        ctx.place, ctx.shape = place, x.shape
        y = multiply("XWT", _rows(x), w, place.grid, place.transport, bias=b)
        return y.reshape(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx, dy):
        """Gradients of x, w and b; that of b is this row's part of the sum."""
        x, w = ctx.saved_tensors
        dy = _rows(dy)
        dx_job, dw_job = Job("XW", "dy", "w"), Job("XTW", "dy", "x")
        return _of_rows(ctx, (dx_job, dw_job), {"dy": dy, "w": w, "x": _rows(x)})


class LinearXTW(torch.autograd.Function):
    """Y = X^T W + b for each sample: the first token-mixing layer, W stored (in, out). dX = W dY^T, dW = sum X dY."""

    @staticmethod
    def forward(ctx, x, w, b, place: Place):
        """``x [batch, in / rows, ch / cols]``, ``w [in / rows, out / cols]``, ``b [out / cols]`` to ``[batch, ch / rows, out / cols]``."""
        ctx.save_for_backward(x, w)
        ctx.place = place
        return multiply("XTW", x, w, place.grid, place.transport, bias=b)

    @staticmethod
    def backward(ctx, dy):
        """Gradients of x, w (summed over the batch) and b (this row's part of the sum)."""
        x, w = ctx.saved_tensors
        dx_job, dw_job = Job("XWT", "w", "dy"), Job("XW", "x", "dy", sum_batch=True)
        dx, dw = _both(ctx.place, _needed(ctx), (dx_job, dw_job), {"x": x, "w": w, "dy": dy})
        return dx, dw, _rows(dy).sum(0) if ctx.needs_input_grad[2] else None, None


class LinearXW(torch.autograd.Function):
    """Y = X W + b: the second token-mixing layer, W stored (in, out). dX = dY W^T, dW = X^T dY."""

    @staticmethod
    def forward(ctx, x, w, b, place: Place):
        """``x [..., rows, in / cols]``, ``w [in / rows, out / cols]``, ``b [out / cols]`` to ``[..., rows, out / cols]``."""
        ctx.save_for_backward(x, w)
        ctx.place, ctx.shape = place, x.shape
        y = multiply("XW", _rows(x), w, place.grid, place.transport, bias=b)
        return y.reshape(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx, dy):
        """Gradients of x, w and b; that of b is this row's part of the sum."""
        x, w = ctx.saved_tensors
        dy = _rows(dy)
        dx_job, dw_job = Job("XWT", "dy", "w"), Job("XTW", "x", "dy")
        return _of_rows(ctx, (dx_job, dw_job), {"dy": dy, "w": w, "x": _rows(x)})


class Transpose(torch.autograd.Function):
    """Tokens and channels change places; the backward pass is the same exchange."""

    @staticmethod
    def forward(ctx, x, place: Place):
        """``[batch, a / rows, b / cols]`` to ``[batch, b / rows, a / cols]``."""
        ctx.place = place
        return transpose(x, place.grid, place.transport)

    @staticmethod
    def backward(ctx, dy):
        """The gradient, transposed back."""
        return transpose(dy, ctx.place.grid, ctx.place.transport), None


class ExactLayerNorm(torch.autograd.Function):
    """LayerNorm over all channels, of which this rank holds a part; two numbers per token travel, each way.

    Forward: every rank of a grid row sends mean and sum of squared deviations of its channels; they are combined as in
    Chan, Golub and LeVeque (1983), which loses no digits. Backward: the sums of g and of g x̂, with g = dY γ.
    The authors' code normalises over the local channels only, which is another function (Section 5).
    """

    @staticmethod
    def forward(ctx, x, weight, bias, eps: float, place: Place):
        """``x [..., channels / cols]`` normalised over all channels, times ``weight`` plus ``bias``, ``[channels / cols]``."""
        n = x.shape[-1] * place.grid.cols
        own = x.mean(-1)
        normal = x - own[..., None]
        # torch.var_mean would do both in one pass, many times slower than these three on a processor.
        var = torch.linalg.vector_norm(normal, dim=-1).square() / x.shape[-1]
        parts = gather_small(
            place.transport, torch.stack([own, var]), place.grid.row_of(place.transport.rank)
        )
        parts = torch.stack(parts)  # [cols, 2, tokens...]
        mean = parts[:, 0].mean(0)
        var = parts[:, 1].mean(0) + (parts[:, 0] - mean).square().mean(0)
        rstd = torch.rsqrt(var + eps)
        ctx.save_for_backward(x, weight, mean, rstd)
        ctx.place, ctx.n = place, n
        # y = ((x - own mean) rstd + (own mean - mean) rstd) weight + bias, in two passes over memory that is there already
        torch.addcmul(((own - mean) * rstd)[..., None], normal, rstd[..., None], out=normal)
        return torch.addcmul(bias, normal, weight, out=normal)

    @staticmethod
    def backward(ctx, dy):
        """Gradients of x, weight and bias; the last two are this row's part of the sum."""
        x, weight, mean, rstd = ctx.saved_tensors
        normal = (x - mean[..., None]).mul_(rstd[..., None])
        product = dy * normal
        dw, db = _rows(product).sum(0), _rows(dy).sum(0)
        if not ctx.needs_input_grad[0]:  # the first layer: nobody asks, on any rank
            return None, dw, db, None, None
        place, own = ctx.place, torch.stack([dy @ weight, product @ weight])
        first, second = (
            sum(gather_small(place.transport, own, place.grid.row_of(place.transport.rank))) / ctx.n
        )
        # dX = rstd (g - mean of g - x̂ mean of g x̂), in memory that is there already
        dx = torch.mul(dy, weight, out=product).addcmul_(normal, second[..., None], value=-1)
        return dx.sub_(first[..., None]).mul_(rstd[..., None]), dw, db, None, None
