"""One residual MLP block, x + W2 gelu(W1 norm(x)), trained by Adam, shared over ranks in five ways.

Each side says how a rank gets its share of the same batch and its model, and what a step is. All use torch.distributed with
gloo on CPU, float32, the same sizes and the same total work: one batch of ``batch`` x ``tokens`` x ``width``.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import nn

from efficient_ai import jigsaw


@dataclass(frozen=True)
class Sizes:
    """Of the block and of the batch that all ranks share."""

    batch: int
    tokens: int
    width: int
    hidden: int


class Block(nn.Module):
    """The block as everybody writes it."""

    def __init__(self, sizes: Sizes):
        super().__init__()
        self.norm = nn.LayerNorm(sizes.width)
        self.up = nn.Linear(sizes.width, sizes.hidden)
        self.down = nn.Linear(sizes.hidden, sizes.width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.down(F.gelu(self.up(self.norm(x))))


Step = Callable[[], None]


def _data(sizes: Sizes, batch: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(dist.get_rank())
    shape = batch, sizes.tokens, sizes.width
    return torch.randn(shape, generator=generator), torch.randn(shape, generator=generator)


def _stepper(model, optimiser, x, target, after: Callable[[], None] = lambda: None) -> Step:
    def step() -> None:
        optimiser.zero_grad(set_to_none=True)
        F.mse_loss(model(x), target).backward()
        after()
        optimiser.step()

    return step


def ddp(sizes: Sizes) -> Step:
    """Every rank has the whole model and a part of the batch; gradients are averaged."""
    model = nn.parallel.DistributedDataParallel(Block(sizes))
    x, target = _data(sizes, sizes.batch // dist.get_world_size())
    return _stepper(model, torch.optim.Adam(model.parameters()), x, target)


def fsdp2(sizes: Sizes) -> Step:
    """Parameters are cut; each layer is gathered before its product and dropped after it."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    mesh = init_device_mesh("cpu", (dist.get_world_size(),))
    model = Block(sizes)
    for layer in (model.up, model.down):
        fully_shard(layer, mesh=mesh)
    fully_shard(model, mesh=mesh)
    x, target = _data(sizes, sizes.batch // dist.get_world_size())
    return _stepper(model, torch.optim.Adam(model.parameters()), x, target)


def dtensor(sizes: Sizes) -> Step:
    """First layer cut by columns, second by rows, with torch's own tensor parallelism; the input is on every rank."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module

    mesh = init_device_mesh("cpu", (dist.get_world_size(),))
    torch.manual_seed(0)
    model = parallelize_module(Block(sizes), mesh, {"up": ColwiseParallel(), "down": RowwiseParallel()})
    torch.manual_seed(1)
    shape = sizes.batch, sizes.tokens, sizes.width
    x, target = torch.randn(shape), torch.randn(shape)
    return _stepper(model, torch.optim.Adam(model.parameters()), x, target)


class _Enter(torch.autograd.Function):
    """Identity forward, sum of the gradients backward (Megatron's f)."""

    @staticmethod
    def forward(ctx, x):
        return x.view_as(x)

    @staticmethod
    def backward(ctx, dy):
        dy = dy.clone()
        dist.all_reduce(dy)
        return dy


class _Leave(torch.autograd.Function):
    """Sum forward, identity backward (Megatron's g)."""

    @staticmethod
    def forward(ctx, y):
        y = y.clone()
        dist.all_reduce(y)
        return y

    @staticmethod
    def backward(ctx, dy):
        return dy


class MegatronBlock(nn.Module):
    """Columns of the first layer, rows of the second; one sum forward, one backward; norm and input replicated."""

    def __init__(self, sizes: Sizes):
        super().__init__()
        n = dist.get_world_size()
        self.norm = nn.LayerNorm(sizes.width)
        self.up = nn.Linear(sizes.width, sizes.hidden // n)
        self.down = nn.Linear(sizes.hidden // n, sizes.width, bias=False)
        self.bias = nn.Parameter(torch.zeros(sizes.width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        u = F.gelu(self.up(_Enter.apply(self.norm(x))))
        return x + _Leave.apply(self.down(u)) + self.bias


def megatron(sizes: Sizes) -> Step:
    """As Megatron-LM does it, written by us."""
    model = MegatronBlock(sizes)
    torch.manual_seed(1)
    shape = sizes.batch, sizes.tokens, sizes.width
    x, target = torch.randn(shape), torch.randn(shape)
    return _stepper(model, torch.optim.Adam(model.parameters()), x, target)


class JigsawBlock(nn.Module):
    """Everything cut, input and activations too."""

    def __init__(self, sizes: Sizes, ops: jigsaw.Sharded):
        super().__init__()
        r, c = ops.grid.rows, ops.grid.cols
        self.ops = ops

        def matrix(out: int, inputs: int) -> nn.Parameter:
            return nn.Parameter((2 * torch.rand(out // r, inputs // c) - 1) / inputs**0.5)

        self.scale, self.shift = (
            nn.Parameter(torch.ones(sizes.width // c)),
            nn.Parameter(torch.zeros(sizes.width // c)),
        )
        self.up, self.up_bias = (
            matrix(sizes.hidden, sizes.width),
            nn.Parameter(torch.zeros(sizes.hidden // c)),
        )
        self.down, self.down_bias = (
            matrix(sizes.width, sizes.hidden),
            nn.Parameter(torch.zeros(sizes.width // c)),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        u = self.ops.xwt(self.ops.norm(x, self.scale, self.shift), self.up, self.up_bias)
        return x + self.ops.xwt(F.gelu(u), self.down, self.down_bias)


def ours(sizes: Sizes) -> Step:
    """Jigsaw, balanced schedule."""
    n = dist.get_world_size()
    grid = jigsaw.Grid.ways(n)
    ops = jigsaw.Sharded(grid, jigsaw.TorchTransport())
    model = JigsawBlock(sizes, ops)
    generator = torch.Generator().manual_seed(dist.get_rank())
    shape = sizes.batch, sizes.tokens // grid.rows, sizes.width // grid.cols
    x, target = torch.randn(shape, generator=generator), torch.randn(shape, generator=generator)
    replicated = [p for p in model.parameters() if p.ndim == 1]
    return _stepper(
        model,
        torch.optim.Adam(model.parameters()),
        x,
        target,
        after=lambda: ops.reduce_replicated(replicated),
    )


SIDES = {"DDP": ddp, "FSDP2": fsdp2, "DTensor": dtensor, "Megatron-style": megatron, "Jigsaw": ours}
