"""One repetition of an experiment, in a process of its own: members are trained, every method starts from the same ones."""

import copy
import multiprocessing
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from efficient_ai.transplantation import _align, _diverse, _interpolate, _variants, _zip
from efficient_ai.transplantation import _training as t
from efficient_ai.transplantation._fuse import fuse
from efficient_ai.transplantation._statistics import reestimate
from efficient_ai.transplantation._training import Recipe


@dataclass(frozen=True)
class Job:
    """What is trained and compared.

    Args:
        what: ``"race"``: methods against each other; ``"redundant"``: a member and a disturbed copy; ``"disjoint"``: members
            that saw different classes or shards; ``"rates"``: the transplantation rate.
        kind: of network.
        width: of it.
        seed: of the repetition.
        members: how many are fused.
        recipe: of training.
        variants: whether iterative, hierarchical and cut-first fusion run as well.
        noise: for ``"redundant"``.
    """

    what: str
    kind: str
    width: int
    seed: int
    members: tuple[int, ...]
    recipe: Recipe
    variants: bool = False
    noise: tuple[float, ...] = ()


@dataclass(frozen=True)
class Race:
    """Test accuracies in per cent of one repetition.

    Args:
        curves: by method, before fine-tuning and after each epoch of it.
        members: of the single members.
        best: of the member with the best validation accuracy.
        ensemble: of the mean of all logits.
        shares: by group, the share of neurons that came from each member.
        seed, width, k: of the job.
    """

    curves: Mapping[str, Sequence[float]]
    members: Sequence[float]
    best: float
    ensemble: float
    shares: Mapping[str, Sequence[float]]
    seed: int
    width: int
    k: int


def run_all(jobs: Sequence[Job], workers: int) -> list:
    """Results in the order of the jobs; the widest begin first, each with one thread."""
    if workers < 2:
        return [run(job) for job in jobs]
    order = sorted(range(len(jobs)), key=lambda i: -(jobs[i].width ** 2) * max(jobs[i].members))
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        futures = {i: pool.submit(run, jobs[i]) for i in order}
        return [futures[i].result() for i in range(len(jobs))]


def run(job: Job):
    """One job, with one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return {"race": _race, "redundant": _redundant, "disjoint": _disjoint, "rates": _rates}[job.what](job)
    finally:
        torch.set_num_threads(threads)


def _race(job: Job) -> list[Race]:
    trained = [t.member(job.kind, job.width, job.recipe, job.seed, i) for i in range(max(job.members))]
    return [_methods(job, trained[:k]) for k in job.members]


def _methods(job: Job, members: list[nn.Module]) -> Race:
    data = t.data_of(job.kind, job.recipe)
    x = data.train[0]
    example, k = x[:2], len(members)
    chosen = members[t.best(members, job.kind, job.recipe)]
    fused = fuse(members, example)
    starts = {
        "NT": fused.model,
        "random neurons": fuse(members, example, score="random", seed=job.seed).model,
        "averaging": _align.average(members, example),
        "optimal transport": _align.optimal_transport(members, example),
        "weight matching": _align.weight_matching(members, example, seed=job.seed),
        "activation matching": _align.activation_matching(members, example, x[:256]),
        "zipped": _zip.zipped(members, example, x[:256]),
        "member trained on": chosen,
    }
    if job.kind == "perceptron":  # a chain of linear layers
        starts["interpolated"] = _interpolate.interpolated(members, example, x[: max(512, 2 * job.width)])
    if job.kind != "transformer":  # whose heads would be wider, too, and do not fit the smaller class
        starts["wider, then cut"] = _wider(job, k, example)
    if job.kind == "residual":
        names = ("NT", "averaging", "optimal transport", "weight matching", "zipped")
        for name in names:
            starts[f"{name}, new statistics"] = reestimate(copy.deepcopy(starts[name]), x)
    if job.variants:
        starts |= {
            "iterative": _variants.iterative(members, example),
            "hierarchical": _variants.hierarchical(members, example),
            "cut first": _variants.cut_first(members, example).model,
            "copies of one": fuse([members[0]] * k, example).model,
        }
    curves = {name: t.tune(model, job.kind, job.recipe, job.seed) for name, model in starts.items()}
    teacher = t.logits(members, x)
    curves["distillation"] = t.tune(chosen, job.kind, job.recipe, job.seed, teacher)
    curves["NT, distilled"] = t.tune(fused.model, job.kind, job.recipe, job.seed, teacher)
    return Race(
        curves,
        [t.correct(m, data.test) for m in members],
        t.correct(chosen, data.test),
        t.ensemble(members, data.test),
        {g: s.tolist() for g, s in fused.shares().items()},
        job.seed, job.width, k,
    )  # fmt: skip


def _wider(job: Job, k: int, example: torch.Tensor) -> nn.Module:
    """One network that costs about as much to train as all members together, cut to the width of one."""
    width = round(job.width * k**0.5)
    wide = t.member(job.kind, width, job.recipe, job.seed, 900)
    target = fuse([t.network(job.kind, job.width).to(job.recipe.device)], example)
    return _variants.prune(wide, example, {g: len(rows) for g, rows in target.kept.items()})


def _redundant(job: Job) -> dict[float, dict[str, list[float]]]:
    """A and a copy of it with noise, fused with two scores; beside them two independent members (noise ``inf``)."""
    a, b = (t.member(job.kind, job.width, job.recipe, job.seed, i) for i in range(2))
    x = t.data_of(job.kind, job.recipe).train[0]
    found = {}
    for noise in (*job.noise, float("inf")):
        second = b if np.isinf(noise) else _disturbed(a, noise, job.seed)
        pair = [a, second]
        starts = {
            "NT": fuse(pair, x[:2]).model,
            "NT, diverse": _diverse.diverse(pair, x[:2], x[:256]).model,
        }
        found[noise] = {n: t.tune(m, job.kind, job.recipe, job.seed) for n, m in starts.items()}
        found[noise]["member trained on"] = t.tune(a, job.kind, job.recipe, job.seed)
    return found


def _disturbed(model: nn.Module, noise: float, seed: int) -> nn.Module:
    twin, rng = copy.deepcopy(model), t.generator(seed, 77)
    with torch.no_grad():
        for p in twin.parameters():
            p += noise * p.std() * torch.randn(p.shape, generator=rng).to(p.device)
    return twin


def _disjoint(job: Job) -> dict[str, dict[str, list[float] | float]]:
    """Two members that saw disjoint halves of the images, or of the classes."""
    data = t.data_of(job.kind, job.recipe)
    x, y = data.train
    half = torch.arange(len(x)) % 2 == 0
    found = {}
    for name, first in (("shards", half), ("classes", y < t.CLASSES // 2)):
        pair = []
        for number, seen in enumerate((first, ~first)):
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(1000 * job.seed + number)
                model = t.network(job.kind, job.width).to(job.recipe.device)
            pair.append(t.train(model, (x[seen], y[seen]), job.recipe, job.recipe.epochs, job.seed))
        starts = {
            "NT": fuse(pair, x[:2]).model,
            "optimal transport": _align.optimal_transport(pair, x[:2]),
            "averaging": _align.average(pair, x[:2]),
            "member trained on": pair[t.best(pair, job.kind, job.recipe)],
        }
        curves = {n: t.tune(m, job.kind, job.recipe, job.seed) for n, m in starts.items()}
        found[name] = curves | {"ensemble": t.ensemble(pair, data.test)}
    return found


RATES = tuple(i / 8 for i in range(9))


def _rates(job: Job) -> dict[float, list[float]]:
    """Test accuracy before and after fine-tuning by transplantation rate."""
    a, b = (t.member(job.kind, job.width, job.recipe, job.seed, i) for i in range(2))
    x = t.data_of(job.kind, job.recipe).train[0]
    short = replace(job.recipe, tune=min(3, job.recipe.tune))
    return {r: t.tune(_variants.transplant(a, b, x[:2], r).model, job.kind, short, job.seed) for r in RATES}
