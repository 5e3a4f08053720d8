"""How the claims of the chapter follow from its races and timings."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from efficient_ai.ledger import Experiment, Measured
from efficient_ai.transplantation import _training as t
from efficient_ai.transplantation import costs
from efficient_ai.transplantation._fuse import concatenate, fuse
from efficient_ai.transplantation.experiments import _ranks
from efficient_ai.transplantation.experiments._jobs import Job, Race, run_all
from efficient_ai.transplantation.profiles import Profile

MEMBER = "member trained on"
TRANSPORT = "optimal transport"
Races = Mapping[int, Sequence[Race]]


def _run_widths(size: Profile) -> dict[int, list[Race]]:
    """Pairs of perceptrons by width."""
    jobs = [Job("race", "perceptron", w, s, (2,), size.recipe) for w in size.widths for s in size.seed_list]
    found = run_all(jobs, size.workers)
    return {w: [r[0] for j, r in zip(jobs, found, strict=True) if j.width == w] for w in size.widths}


def _run_members(size: Profile) -> dict[int, list[Race]]:
    """Perceptrons of one width by number of members; the first two are the same for every number."""
    jobs = [
        Job("race", "perceptron", size.width, s, size.members, size.recipe, variants=True)
        for s in size.seed_list
    ]
    found = run_all(jobs, size.workers)
    return {k: [races[i] for races in found] for i, k in enumerate(size.members)}


def _run_others(size: Profile) -> dict[str, list[Race]]:
    """Pairs of residual networks and of transformers."""
    kinds = dict(zip(("residual", "transformer"), size.conv_widths, strict=True))
    jobs = [Job("race", kind, w, s, (2,), size.conv) for kind, w in kinds.items() for s in size.seed_list]
    found = run_all(jobs, size.workers)
    return {kind: [r[0] for j, r in zip(jobs, found, strict=True) if j.kind == kind] for kind in kinds}


def _each_seed(what: str, **more) -> Callable[[Profile], dict[int, dict]]:
    def run(size: Profile) -> dict[int, dict]:
        options = {"noise": size.noise} if what == "redundant" else {}
        jobs = [Job(what, "perceptron", size.width, s, (2,), size.recipe, **options) for s in size.seed_list]
        return dict(zip(size.seed_list, run_all(jobs, size.workers), strict=True))

    return run


def _run_identities(size: Profile) -> dict[str, list[float]]:
    """Largest differences of logits that should be zero, in float64."""
    side, copies = [], []
    for kind, width in (("perceptron", 24), ("residual", 4), ("transformer", 8)):
        for k in (2, 3, 4, 8):
            members, x = _untrained(kind, width, k), _images(kind)
            with torch.no_grad():
                side.append(float((concatenate(members, x)(x) - t.logits(members, x)).abs().max()))
    for k in (2, 4):
        member, x = _untrained("perceptron", 64, 1)[0], _images("perceptron")
        fused = fuse([member] * k, x)
        scores = {g: [s[0]] for g, s in fused.scores.items()}
        cut = fuse([member], x, score=scores, widths={g: len(r) // k for g, r in fused.kept.items()})
        with torch.no_grad():
            copies.append(float((fused.model(x) - cut.model(x)).abs().max()))
    return {"side by side": side, "copies": copies}


def _untrained(kind: str, width: int, k: int) -> list[torch.nn.Module]:
    made = []
    with torch.random.fork_rng(devices=[]):
        for m in range(k):
            torch.manual_seed(m)
            made.append(t.network(kind, width).double().eval())
    return made


def _images(kind: str) -> torch.Tensor:
    return torch.randn(4, t.side(kind), t.side(kind), generator=t.generator(3), dtype=torch.float64)


# --- reading values from results


def _difference(mine: str, other: str, epoch: int) -> Callable[[Sequence[Race]], Measured]:
    def read(races: Sequence[Race]) -> Measured:
        values = [r.curves[mine][epoch] - r.curves[other][epoch] for r in races]
        return Measured(values, [r.seed for r in races], other)

    return read


def _over_best(epoch: int) -> Callable[[Sequence[Race]], Measured]:
    def read(races: Sequence[Race]) -> Measured:
        values = [r.curves["NT"][min(epoch, len(r.curves["NT"]) - 1)] - r.best for r in races]
        return Measured(values, [r.seed for r in races], "best member on validation, as it was")

    return read


def reached(race: Race, method: str) -> int:
    """Epochs until a method reaches the best member as it was; one more than there are if it never does."""
    curve = race.curves[method]
    return next((epoch for epoch, value in enumerate(curve) if value >= race.best), len(curve))


def _earlier(races: Sequence[Race]) -> Measured:
    return Measured(
        [reached(r, TRANSPORT) - reached(r, "NT") for r in races], [r.seed for r in races], TRANSPORT
    )


def _widest(read) -> Callable[[Races], Measured]:
    return lambda found: read(found[max(found)])


def _of(key, read):
    return lambda found: read(found[key])


def _width_helps(found: Races) -> Measured:
    narrow, wide = (
        [r.curves["NT"][-1] - r.curves[MEMBER][-1] for r in found[w]] for w in (min(found), max(found))
    )
    values = [b - a for a, b in zip(narrow, wide, strict=True)]
    return Measured(values, [r.seed for r in found[min(found)]], "the narrowest perceptron")


def _more_members(found: Races) -> Measured:
    few, many = found[min(found)], found[max(found)]
    values = [b.curves["NT"][-1] - a.curves["NT"][-1] for a, b in zip(few, many, strict=True)]
    return Measured(values, [r.seed for r in few], "two members")


def _itself(found: Mapping[int, dict]) -> Measured:
    values = [f[0.0]["NT"][-1] - f[0.0][MEMBER][-1] for f in found.values()]
    return Measured(values, list(found), "the network trained on")


def _diverse(noise: float | None, epoch: int) -> Callable[[Mapping[int, dict]], Measured]:
    def read(found: Mapping[int, dict]) -> Measured:
        key = min(n for n in next(iter(found.values())) if n > 0) if noise is None else noise
        values = [f[key]["NT, diverse"][epoch] - f[key]["NT"][epoch] for f in found.values()]
        return Measured(values, list(found), "group magnitude")

    return read


def _disjoint(found: Mapping[int, dict]) -> Measured:
    values = [f["classes"]["NT"][-1] - f["classes"][MEMBER][-1] for f in found.values()]
    return Measured(values, list(found), "better member trained on")


IDENTITIES = Experiment(
    "identities",
    _run_identities,
    {
        "C1": lambda f: Measured(
            f["side by side"], list(range(len(f["side by side"]))), "mean of the logits"
        ),
        "C8a": lambda f: Measured(f["copies"], list(range(len(f["copies"]))), "the member pruned"),
    },
)
WIDTHS = Experiment(
    "two perceptrons, by width",
    _run_widths,
    {
        "C2a": _widest(_over_best(0)),
        "C2b": _widest(_over_best(3)),
        "C3a": _widest(_over_best(10**6)),
        "C3b": _widest(_difference("NT", MEMBER, -1)),
        "C3c": _width_helps,
        "C4a": _widest(_difference("NT", "averaging", 0)),
        "C4b": _widest(_difference("NT", "averaging", -1)),
        "C5a": _widest(_earlier),
        "C5b": _widest(_difference("NT", TRANSPORT, 0)),
        "C5c": _widest(_difference("NT", TRANSPORT, -1)),
        "C5d": _widest(_difference("NT", "zipped", -1)),
        "C5e": _widest(_difference("NT", "interpolated", -1)),
        "C9a": _widest(_difference("NT", "random neurons", 0)),
        "C9b": _widest(_difference("NT", "random neurons", -1)),
    },
)
MEMBERS = Experiment(
    "perceptrons, by number of members",
    _run_members,
    {
        "C7a": _widest(_difference("NT", "hierarchical", -1)),
        "C7b": _widest(_difference("hierarchical", "iterative", -1)),
        "C7c": _more_members,
    },
)
OTHERS = Experiment(
    "residual network and transformer",
    _run_others,
    {
        "C3d": _of("residual", _difference("NT", MEMBER, -1)),
        "C3e": _of("transformer", _difference("NT", MEMBER, -1)),
    },
)
REDUNDANT = Experiment(
    "copies with noise",
    _each_seed("redundant"),
    {"C8b": _itself, "C10a": _diverse(None, 0), "C10b": _diverse(float("inf"), -1)},
)
DISJOINT = Experiment("members with disjoint data", _each_seed("disjoint"), {"C11": _disjoint})
RATES = Experiment("transplantation rate", _each_seed("rates"), {})


def _run_ranks(size: Profile, cluster: Any) -> _ranks.OnRanks:
    """Members trained on ranks and fused there, and four ways to synchronise parallel training."""
    return cluster.run(_ranks.on_ranks, size, timeout=size.patience)[0]


def _sync(mine: str, other: str) -> Callable[[_ranks.OnRanks], Measured]:
    def read(found: _ranks.OnRanks) -> Measured:
        values = [curves[mine][-1] - curves[other][-1] for curves in found.curves.values()]
        return Measured(values, list(found.curves), other)

    return read


RANKS = Experiment(
    "on MPI ranks",
    _run_ranks,
    {
        "C12a": _sync("averaging", "NT"),
        "C12b": lambda f: Measured(
            [c["NT"][-1] for c in f.copies.values()], list(f.copies), "none: a share by itself"
        ),
        "C12c": _sync("NT, diverse", "averaging"),
        "C13": lambda f: Measured([f.difference], [0], "the same members fused in one process"),
    },
    ranks=4,
)
COSTS = Experiment(
    "time and memory of fusion",
    costs.measure,
    {
        "C6a": lambda f: Measured(
            [o / n for o, n in zip(f[max(f)]["OT"].seconds, f[max(f)]["NT"].seconds, strict=True)],
            list(range(len(f[max(f)]["NT"].seconds))),
            "optimal transport, n x n cost",
        ),
        "C6b": lambda f: Measured(
            [f[max(f)]["OT"].peak / f[max(f)]["NT"].peak], [0], "optimal transport, n x n cost"
        ),
    },
)

EXPERIMENTS = (IDENTITIES, WIDTHS, MEMBERS, OTHERS, REDUNDANT, DISJOINT, RANKS, COSTS)
