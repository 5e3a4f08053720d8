"""One repetition: a model is trained, masked to every density, cut, trained on, and judged on validation and test."""

import copy
import multiprocessing
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

import torch
from torch import nn

from efficient_ai import surgery
from efficient_ai.pruning import _train as t
from efficient_ai.pruning._masks import mask
from efficient_ai.pruning._series import bed, errors
from efficient_ai.pruning._structured import choose, shrink
from efficient_ai.pruning.profiles import DENSITIES

TUNED = (DENSITIES[5], 0.05)


@dataclass(frozen=True)
class Job:
    """What is trained.

    Args:
        what: ``"masks"``: densities, controls and further training; ``"channels"``: what is removed, and small models.
        model: one of the five.
        bed: of the series.
        seed: of weights, batches and dropout.
        recipe: of training.
        ratio: share of channels that goes.
        widths: of models from scratch, the last one is pruned.
    """

    what: str
    model: str
    bed: str
    seed: int
    recipe: t.Recipe
    ratio: float = 0.5
    widths: tuple[int, ...] = ()


@dataclass(frozen=True)
class Found:
    """Mean squared errors of one repetition; pairs are validation and test.

    Args:
        curve: by nominal density.
        total: share of all parameters that is left, by nominal density.
        tuned: after further training, by nominal density; 1 is the dense model, trained on for as long.
        controls: by name.
        parts: by what was removed.
        scratch: of models trained from scratch, by parameters.
        numbers: parameters, by name.
        weights: a sample of absolute weights, for the histogram.
    """

    job: Job
    curve: Mapping[float, tuple[float, float]] = field(default_factory=dict)
    total: Mapping[float, float] = field(default_factory=dict)
    tuned: Mapping[float, tuple[float, float]] = field(default_factory=dict)
    controls: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    parts: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    scratch: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    numbers: Mapping[str, int] = field(default_factory=dict)
    weights: Sequence[float] = ()


def run_all(jobs: Sequence[Job], workers: int) -> list[Found]:
    """Results in the order of the jobs, each with one thread."""
    if workers < 2:
        return [run(job) for job in jobs]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        return list(pool.map(run, jobs))


def run(job: Job) -> Found:
    """One job, with one thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return _masks(job) if job.what == "masks" else _channels(job)
    finally:
        torch.set_num_threads(before)


def _scorer(job: Job):
    data = bed(job.bed, job.seed)
    windows = [t.judged(data, part, job.recipe.judged) for part in ("valid", "test")]

    def score(model: nn.Module) -> tuple[float, float]:
        return tuple(float(errors(model, data, starts).mean()) for starts in windows)

    return data, score


def _masks(job: Job) -> Found:
    data, score = _scorer(job)
    dense = t.train(t.build(job.model, data, job.recipe, job.seed), data, job.recipe, job.seed)
    curve, total, tuned = {}, {}, {}
    for density in DENSITIES:
        model = copy.deepcopy(dense)
        total[density] = mask(model, density, data.series).count(model).density
        curve[density] = score(model)
    for density in (1.0, *TUNED):
        model = copy.deepcopy(dense)
        masks = mask(model, density, data.series)
        tuned[density] = score(t.train(model, data, job.recipe, job.seed, masks=masks, tuning=True))
    controls = _controls(job, dense, data, score)
    flat = torch.cat([p.detach().abs().reshape(-1) for p in dense.parameters()])
    sample = flat[:: max(1, len(flat) // 400)].tolist()
    return Found(job, curve, total, tuned, controls, weights=sample)


def _controls(job: Job, dense: nn.Module, data, score) -> dict[str, tuple[float, float]]:
    """FEDformer with its kernels in the set that is pruned, at the same total number; both without their rest."""
    controls = {}
    if job.model == "FEDformer":
        kernels = [name for name, p in dense.named_parameters() if p.is_complex()]
        model = copy.deepcopy(dense)
        protected = mask(model, DENSITIES[-2], data.series)
        left = protected.count(model)
        free = copy.deepcopy(dense)
        size = left.prunable + left.complex
        controls["kernels protected"] = score(model)
        mask(free, 1 - min(1.0, left.zeros / size), data.series, also=kernels)
        controls["kernels prunable"] = score(free)
    if hasattr(dense, "trend_only"):
        silent = copy.deepcopy(dense)
        with torch.no_grad():
            for p in (
                silent.head.weight,
                silent.head.bias,
                *(layer.trend.weight for layer in silent.decoder),
            ):
                p.zero_()
        controls["trend only"] = score(silent)
    return controls


def _example(model: nn.Module, data) -> tuple[torch.Tensor, ...]:
    x, marks, _ = data.windows([0, 1])
    return (x, marks) if model.sizes.marks else (x,)


def _numbers(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def _channels(job: Job) -> Found:
    """One Transformer loses streams, heads or hidden units, as many parameters each; and small ones from scratch."""
    data, score = _scorer(job)
    recipe = job.recipe
    dense = t.train(t.build(job.model, data, recipe, job.seed), data, recipe, job.seed)
    example = _example(dense, data)
    whole = surgery.anatomy(dense, example, cutting=True)
    numbers, parts = {"dense": _numbers(dense)}, {"dense": score(dense)}
    for part in ("streams", "heads", "hidden units"):
        model = _remove(dense, whole, part, goal=0.1)
        numbers[part], parts[part] = _numbers(model), score(model)
    pruned = shrink(dense, example, job.ratio, scope="local")
    numbers["pruned"], parts["pruned"] = _numbers(pruned), score(pruned)
    parts["pruned, trained on"] = score(t.train(pruned, data, recipe, job.seed, tuning=True))
    scratch = {}
    for width in job.widths:
        small = t.Recipe(**{**recipe.__dict__, "width": width, "hidden": 2 * width})
        model = t.train(t.build(job.model, data, small, job.seed), data, small, job.seed)
        model = t.train(model, data, small, job.seed, tuning=True)
        scratch[_numbers(model)] = score(model)
    shape = pruned.embed_past.values.out_channels, pruned.encoder[0].feed.rise.out_features
    equal = t.Recipe(
        **{**recipe.__dict__, "width": -(-shape[0] // recipe.heads) * recipe.heads, "hidden": shape[1]}
    )
    model = t.train(t.build(job.model, data, equal, job.seed), data, equal, job.seed)
    numbers["small"] = _numbers(model)
    parts["small"] = score(t.train(model, data, equal, job.seed, tuning=True))
    return Found(job, numbers=numbers, parts=parts, scratch=scratch)


def kind(group: str) -> str:
    """Which part of a model a group of channels is."""
    if group.endswith("query"):
        return "heads"
    return "hidden units" if group.endswith("rise") else "streams"


def _remove(model: nn.Module, anatomy: surgery.Anatomy, part: str, goal: float) -> nn.Module:
    """Takes units of one part until the share ``goal`` of all parameters is gone, as nearly as whole units allow."""
    full, found = _numbers(model), []
    spare = tuple(g.name for g in anatomy.groups if kind(g.name) != part)
    for ratio in torch.linspace(0.0, 0.95, 20).tolist():
        small = surgery.cut(model, anatomy, choose(model, anatomy, ratio, scope="local", spare=spare))
        found.append((abs(1 - _numbers(small) / full - goal), ratio, small))
    return min(found, key=lambda entry: entry[:2])[2]
