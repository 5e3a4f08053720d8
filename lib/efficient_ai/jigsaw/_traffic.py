"""What travels and what is held, computed without doing it: the dry run of any model on any grid (Sections 3.5 and 3.11)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from efficient_ai.jigsaw._config import MixerConfig, vectors, weights
from efficient_ai.jigsaw._grid import Grid
from efficient_ai.jigsaw._plan import transpose_plan, work
from efficient_ai.jigsaw._tasks import Job, order


def elements_sent(op: str, grid: Grid, x: int, w: int, y: int) -> list[int]:
    """Elements that each rank sends in one product, by the closed formula.

    Args:
        x, w, y: elements of one block of X, W and the result.
    """
    r, c = grid.rows, grid.cols
    if grid.schedule == "paper" and grid.size == 4:
        ends = {"XW": x + w, "XWT": x + w, "XTW": x + w}[op]  # ranks 0 and 3
        middle = {"XW": x + w, "XWT": w + y, "XTW": x + y}[op]  # ranks 1 and 2
        return [ends, middle, middle, ends]
    each = {
        "XW": (c - 1) * x + (r - 1) * w,
        "XWT": (r - 1) * w + (c - 1) * y,
        "XTW": (c - 1) * x + (r - 1) * y,
    }
    return [each[op]] * grid.size


def job_elements(
    jobs: Sequence[Job], sizes: Mapping[str, int], results: Sequence[int], grid: Grid
) -> list[int]:
    """Elements that each rank sends for ``jobs`` that are executed together, counted from their plan.

    Args:
        sizes: elements of a block of each operand.
        results: elements of a block of the result of each job.
    """
    sent, what = Counter(), order(tuple(jobs), grid)
    for _, _, name, owner, _ in what.travels:
        sent[owner] += sizes[name]
    for _, _, job, source, _ in what.homes:
        sent[source] += results[job]
    return [sent[rank] for rank in range(grid.size)]


def transpose_elements(rows: int, cols: int, grid: Grid) -> list[int]:
    """Elements that each rank sends to transpose a matrix of ``rows`` x ``cols`` in all."""
    sent = Counter()
    for move in transpose_plan(grid):
        if move.source != move.dest:
            high, wide = move.rows[1] - move.rows[0], move.cols[1] - move.cols[0]
            sent[move.source] += rows * high // grid.units * cols * wide // grid.units
    return [sent[rank] for rank in range(grid.size)]


@dataclass(frozen=True)
class Layer:
    """A linear layer of the mixer: its kind (``XWT``, ``XTW``, ``XW``), and its sizes for one sample."""

    name: str
    kind: str
    rows: int
    inputs: int
    outputs: int
    batched: bool = True


def layers(config: MixerConfig) -> list[Layer]:
    """The linear layers in order; ``rows`` is what the product has beside inputs and outputs (tokens, points or channels)."""
    n, d, h, c = config.tokens, config.width, config.token_hidden, config.channel_hidden
    found = [Layer("embed", "XWT", n, config.inputs * config.patch, d)]
    for k in range(config.blocks):
        found += [Layer(f"blocks.{k}.token1", "XTW", d, n, h), Layer(f"blocks.{k}.token2", "XW", d, h, n)]
        found += [
            Layer(f"blocks.{k}.channel1", "XWT", n, d, c),
            Layer(f"blocks.{k}.channel2", "XWT", n, c, d),
        ]
    found += [Layer("recover", "XWT", n, 2 * d, config.outputs * config.patch)]
    return [*found, Layer("blend", "XWT", config.lat * config.lon, 2 * config.outputs, config.outputs)]


_BACKWARD = {
    "XWT": (Job("XW", "dy", "w"), Job("XTW", "dy", "x")),
    "XTW": (Job("XWT", "w", "dy"), Job("XW", "x", "dy", sum_batch=True)),
    "XW": (Job("XWT", "dy", "w"), Job("XTW", "x", "dy")),
}


def layer_elements(layer: Layer, batch: int, grid: Grid) -> tuple[list[int], list[int]]:
    """Elements that each rank sends in the forward and in the backward pass of a layer."""
    x = batch * layer.rows * layer.inputs // grid.size
    y = batch * layer.rows * layer.outputs // grid.size
    w = layer.inputs * layer.outputs // grid.size
    forward = elements_sent(layer.kind, grid, x, w, y)
    jobs, sizes = _BACKWARD[layer.kind], {"x": x, "w": w, "dy": y}
    if grid.schedule == "balanced":
        return forward, job_elements(jobs, sizes, [x, w], grid)
    apart = [job_elements([job], sizes, [size], grid) for job, size in zip(jobs, (x, w), strict=True)]
    return forward, [a + b for a, b in zip(*apart, strict=True)]


def step_elements(config: MixerConfig, grid: Grid, batch: int = 1, rollout: int = 1) -> dict[str, list[int]]:
    """Elements that each rank sends in one training step, by purpose: products, transposes, norms, replicated gradients."""
    ranks = range(grid.size)
    found = {name: [0] * grid.size for name in ("products", "transposes", "norms", "replicated")}

    def add(name: str, values: Sequence[int], times: int = 1) -> None:
        found[name] = [a + times * b for a, b in zip(found[name], values, strict=True)]

    for layer in layers(config):
        often = rollout if layer.name.startswith("blocks") else 1
        for part in layer_elements(layer, batch, grid):
            add("products", part, often)
    turn = [batch * e for e in transpose_elements(config.width, config.tokens, grid)]
    back = [batch * e for e in transpose_elements(config.tokens, config.width, grid)]
    add("transposes", [a + b for a, b in zip(turn, back, strict=True)], config.blocks * rollout)
    tokens = batch * config.tokens // grid.rows * (2 * config.blocks * rollout + 1)
    points = batch * config.lat * config.lon // grid.rows * 2
    add("norms", [2 * 2 * (grid.cols - 1) * (tokens + points) for _ in ranks])
    own = sum(vectors(config).values()) // grid.cols
    add("replicated", [(grid.rows - 1) * own for _ in ranks])
    return found


def memory(config: MixerConfig, grid: Grid, batch: int = 1, itemsize: int = 4) -> dict[str, int]:
    """Bytes that one rank holds in a training step, by kind; nothing is allocated.

    ``activations`` are the tensors kept for the backward pass (one application of the processor, no dropout); ``buffers``
    the largest received blocks and partial results that exist at one time beside them.
    """
    n, own = grid.size, sum(vectors(config).values()) // grid.cols
    parameters = sum(a * b for a, b in weights(config).values()) // n + own
    fields = batch * config.lat * config.lon // n
    kept = sum(kept_elements(config, grid, batch).values())
    return {
        "input and target": itemsize * fields * (config.inputs + config.outputs),
        "weights": itemsize * parameters,
        "gradients": itemsize * parameters,
        "Adam moments": 2 * itemsize * parameters,
        "activations": itemsize * kept,
        "buffers": itemsize * buffer_elements(config, grid, batch),
    }


def kept_elements(config: MixerConfig, grid: Grid, batch: int = 1) -> dict[str, int]:
    """Elements that a rank keeps for the backward pass, by purpose.

    Each linear layer keeps its input, each GELU its input, each norm its input and two numbers per token; what is the input
    of several of them is kept once. The statistics of the norms are the only part that is not 1/n of the serial model:
    every rank of a grid row has those of all its tokens.
    """
    s, n = grid.size, batch * config.tokens
    d, h, c, points = (
        config.width,
        config.token_hidden,
        config.channel_hidden,
        batch * config.lat * config.lon,
    )
    features, out = n * config.patch * config.inputs, config.outputs
    # state before both norms, its two normalised versions, hidden layers before and after their GELU
    block = 4 * n * d + 2 * (batch * d * h + n * c)
    # patches; state before the last norm; both halves of the skip; the field, the pair, the normalised pair
    ends = features + n * d + 2 * n * d + points * out * (1 + 2 + 2)
    statistics = 2 * (n * (2 * config.blocks + 1) + 2 * points) // grid.rows
    return {"tokens": (config.blocks * block + ends) // s, "statistics": statistics}


def buffer_elements(config: MixerConfig, grid: Grid, batch: int = 1) -> int:
    """Elements of the largest set of received blocks and partial results of any layer's backward pass, beside the results."""
    if grid.size == 1:
        return 0
    worst = 0
    for layer in layers(config):
        x = batch * layer.rows * layer.inputs // grid.size
        y = batch * layer.rows * layer.outputs // grid.size
        w = layer.inputs * layer.outputs // grid.size
        rings = min(2, max(grid.rows, grid.cols) - 1)  # blocks of two rounds at most
        worst = max(worst, rings * (x + w + y) + (max(grid.cols, grid.rows) - 1) * max(x, w))
    return worst


def products_per_step(grid: Grid) -> list[float]:
    """Block products of each rank for one linear layer in one training step: one XW, one XWT, one XTW."""
    per_op = [work(op, grid) for op in ("XW", "XWT", "XTW")]
    return [sum(values) for values in zip(*per_op, strict=True)]
