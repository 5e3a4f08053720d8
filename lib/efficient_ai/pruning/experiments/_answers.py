"""How the claims of the chapter follow from its trainings and timings."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch

from efficient_ai.forecasters.seq2seq import MODELS
from efficient_ai.ledger import Experiment, Measured
from efficient_ai.pruning import _train as t
from efficient_ai.pruning._series import bed, naive, ridge
from efficient_ai.pruning.experiments._jobs import TUNED, Found, Job, run_all
from efficient_ai.pruning.experiments._timing import Timing, measure
from efficient_ai.pruning.profiles import DENSITIES, Profile

HALF, TENTH = DENSITIES[3], DENSITIES[9]
HALF_WIDTH = "Transformer of half the width"
Masked = Mapping[str, Sequence[Found]]


def _run_masks(size: Profile) -> dict[str, list[Found]]:
    """By model, one repetition for each seed; and a Transformer of half the width."""
    narrow = replace(size.recipe, width=size.recipe.width // 2, hidden=size.recipe.hidden // 2)
    jobs = [Job("masks", name, "Europe", s, size.recipe) for name in MODELS for s in size.seed_list]
    jobs += [Job("masks", "Transformer", "Europe", s, narrow) for s in size.seed_list]
    results = iter(run_all(jobs, size.workers))
    return {name: [next(results) for _ in size.seed_list] for name in (*MODELS, HALF_WIDTH)}


def _run_channels(size: Profile) -> list[Found]:
    jobs = [
        Job("channels", "Transformer", "Europe", s, size.recipe, size.ratio, size.widths)
        for s in size.seed_list
    ]
    return run_all(jobs, size.workers)


def baselines(size: Profile) -> dict[str, float]:
    """Mean squared test error of the last day repeated and of one linear map, the same windows."""
    data = bed("Europe")
    starts = {part: t.judged(data, part, size.recipe.judged) for part in ("valid", "test")}
    train = t.judged(data, "train", 1500)
    return {
        "last day": naive(data, starts["test"]),
        "ridge": ridge(data, train, starts["valid"], starts["test"]),
    }


def loss(found: Found, density: float) -> float:
    """Test error at a density over that of the dense model."""
    return found.curve[density][1] / found.curve[1.0][1]


def _per_seed(masked: Masked, value, baseline: str) -> Measured:
    """``value(models)``, where ``models`` holds the repetition of one seed of each model."""
    seeds = range(len(masked["Transformer"]))
    return Measured([value({n: f[s] for n, f in masked.items()}) for s in seeds], list(seeds), baseline)


def _worst_half(models) -> float:
    return max(loss(models[name], HALF) for name in MODELS)


def _ranking(models) -> float:
    tolerant = max(loss(models[name], TENTH) for name in ("Autoformer", "FEDformer"))
    return tolerant / min(loss(models[name], TENTH) for name in ("Transformer", "Informer"))


def _kernels(models) -> float:
    controls = models["FEDformer"].controls
    return controls["kernels prunable"][1] / controls["kernels protected"][1]


def _trend(models) -> float:
    return max(
        models[n].curve[TENTH][1] / models[n].controls["trend only"][1] for n in ("Autoformer", "FEDformer")
    )


def _best_pruned(models) -> float:
    """Model and density chosen where validation falls most below the dense model's; judged on the test windows."""
    choices = [
        (models[n].curve[d][0] / models[n].curve[1.0][0], loss(models[n], d))
        for n in MODELS
        for d in DENSITIES[1:]
    ]
    return min(choices)[1]


def _most_tolerant(models) -> float:
    return min((models[n].curve[TENTH][0] / models[n].curve[1.0][0], loss(models[n], TENTH)) for n in MODELS)[
        1
    ]


def _mean_of(models, ratio) -> float:
    return float(np.exp(np.mean([np.log(ratio(models[name])) for name in MODELS])))


def _needed(models) -> float:
    return _mean_of(models, lambda f: f.curve[TUNED[0]][1] / f.tuned[TUNED[0]][1])


def _after(density: float):
    return lambda models: _mean_of(models, lambda f: f.tuned[density][1] / f.tuned[1.0][1])


def _dead(_: Profile) -> list[float]:
    """Parameters of FEDformer without a gradient over the formula, for three widths."""
    found = []
    for width in (16, 32, 48):
        model = MODELS["FEDformer"](7, 48, 24, width=width, heads=8, hidden=24, modes=8)
        names = t.dead(model, (torch.randn(2, 48, 7), torch.rand(2, 72, 4)))
        held = dict(model.named_parameters())
        found.append(sum(held[name].numel() for name in names) / (7 * (width**2 + width)))
    return found


def speedup(timing: Timing, version: str, batch: int, threads: int = 1) -> np.ndarray:
    """Time of the dense model over that of a version, one for each reading."""
    times = timing.times[threads, batch]
    return np.array(times["dense"]) / np.array(times[version])


CUT = "50% of channels removed"


def _speedup(choose):
    def read(timing: Timing) -> Measured:
        batch = choose([b for _, b in timing.times])
        values = speedup(timing, CUT, batch)
        return Measured(values.tolist(), range(len(values)), f"the dense model, batch of {batch}")

    return read


def _channel(numerator: str, denominator: str, baseline: str):
    def read(found: Sequence[Found]) -> Measured:
        values = [f.parts[numerator][1] / f.parts[denominator][1] for f in found]
        return Measured(values, [f.job.seed for f in found], baseline)

    return read


MASKS = Experiment(
    "five models, masked to every density",
    _run_masks,
    {
        "P1": lambda m: _per_seed(m, _worst_half, "the dense model"),
        "P1b": lambda m: _per_seed(m, lambda x: loss(x["Transformer"], HALF) / loss(x[HALF_WIDTH], HALF), HALF_WIDTH),
        "P2": lambda m: _per_seed(m, _ranking, "the better of Transformer and Informer"),
        "P2a": lambda m: _per_seed(m, _kernels, "FEDformer with its kernels protected"),
        "P2c": lambda m: _per_seed(m, _trend, "trend only"),
        "P3": lambda m: _per_seed(m, _best_pruned, "the dense model"),
        "P3b": lambda m: _per_seed(m, _most_tolerant, "the dense model"),
        "P4": lambda m: _per_seed(m, _needed, "the pruned models, trained on"),
        "P4b": lambda m: _per_seed(m, _after(TUNED[0]), "the dense models, trained on as long"),
        "P4c": lambda m: _per_seed(m, _after(TUNED[1]), "the dense models, trained on as long"),
    },
)  # fmt: skip
DEAD = Experiment(
    "parameters without a gradient", _dead, {"P2b": lambda v: Measured(v, (16, 32, 48), "7 (d² + d)")}
)
CHANNELS = Experiment(
    "channels removed, and small models",
    _run_channels,
    {
        "P7": _channel("pruned, trained on", "small", "a small model from scratch"),
        "P8": _channel("streams", "hidden units", "as many parameters from the hidden units"),
    },
)
TIMES = Experiment(
    "milliseconds and multiplications",
    measure,
    {
        "P5": lambda r: Measured([r.work["dense"].total / r.work[CUT].total], [0], "the dense model"),
        "P5a": _speedup(lambda batches: 3),
        "P5b": _speedup(max),
        "P6": lambda r: Measured([x[0.5][1] / x[0.5][0] for x in r.csr], range(len(r.csr)), "dense product"),
    },
)
EXPERIMENTS = (MASKS, DEAD, CHANNELS, TIMES)
