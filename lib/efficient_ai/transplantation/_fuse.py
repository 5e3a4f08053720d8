"""Neuron transplantation: members side by side, then the largest neurons stay (Öz et al. 2024)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
import torch
from torch import nn

from efficient_ai import surgery
from efficient_ai.surgery import Surgery
from efficient_ai.transplantation import _choice

SCORES = ("group", "incoming", "random")
Widths = Mapping[str, int] | float | str | None


@dataclass(frozen=True)
class Fused:
    """A fused network and where its neurons come from.

    Args:
        model: of the class of the first member.
        kept: for each group of channels, ``(member, unit)`` of what stands there now, int64 of shape ``(width, 2)``.
        scores: for each group, one array per member, shape ``(units,)``.
        weights: of the members' outputs.
    """

    model: nn.Module
    kept: Mapping[str, np.ndarray]
    scores: Mapping[str, Sequence[np.ndarray]]
    weights: tuple[float, ...]

    def shares(self) -> dict[str, np.ndarray]:
        """For each group, the share of its neurons that came from each member, shape ``(members,)``."""
        k = len(self.weights)
        return {g: np.bincount(kept[:, 0], minlength=k) / len(kept) for g, kept in self.kept.items()}


def fuse(
    members: Sequence[nn.Module],
    example: torch.Tensor,
    *,
    score: str | Mapping[str, Sequence[np.ndarray]] = "group",
    order: str = "joint",
    widths: Widths = None,
    shares: Sequence[float] | None = None,
    weights: Sequence[float] | None = None,
    labels: Sequence[Sequence[str]] | None = None,
    seed: int = 0,
) -> Fused:
    """Fuse trained networks into one of the size of the first.

    Nothing is built that is wider than the result: between neurons of different members the concatenated network has
    zeros, so its scores are those of the members (section 3.3; shown in the chapter).

    Args:
        members: of one architecture; widths may differ. They are only read, and may be one object several times.
        example: an input, shape ``(n, ...)``, to trace them with.
        score: ``"group"``: squared norms of incoming and outgoing weights, as in the released code. ``"incoming"``:
            incoming alone. ``"random"``. Or scores of your own: for each group one array per member.
        order: ``"joint"``: all scores from the uncut networks. ``"sequential"``: from output to input, each on what the
            cuts behind it have left.
        widths: neurons by group; a share of all members' neurons, between 0 and 1; ``"global"``: as many as the first
            member has in all, wherever they are largest; ``None``: those of the first member.
        shares: of each member in every group, summing to 1; ``None``: whoever has the largest neurons.
        weights: of the members' outputs, summing to 1; ``None``: by the width of what their last layer reads.
        labels: the class lists of the members, which must agree.
        seed: for random scores.

    Ties go to the member that comes first, then to the neuron that comes first. A layer norm keeps its kept weights and
    takes one mean and one variance over all kept channels, which is not what the members did.

    Raises:
        Surgery: members that do not fit, or a layer without a rule; named, before anything is computed.
    """
    members, anatomies, weights = prepare(members, example, weights, labels)
    rng = np.random.default_rng(seed)

    def scored(g: int, left: list[dict] | None) -> list[np.ndarray]:
        return _scores(anatomies, members, g, score, weights, left, rng)

    kept, scores = _choice.select(anatomies, scored, order, widths, shares)
    made = surgery.assemble(anatomies, members, kept, weights)
    model = surgery.rebuild(members[0], anatomies[0], made)
    if any(len(k) != g.units for k, g in zip(kept, anatomies[0].groups, strict=True)):
        runs(model, example)
    return fused(model, anatomies[0], kept, scores, weights)


def fused(model: nn.Module, anatomy: surgery.Anatomy, kept, scores, weights) -> Fused:
    """The result, with groups by name."""
    names = [g.name for g in anatomy.groups]
    arrays = (np.array(k, dtype=np.int64).reshape(-1, 2) for k in kept)
    return Fused(model, dict(zip(names, arrays, strict=True)), dict(zip(names, scores, strict=True)), weights)


def concatenate(
    members: Sequence[nn.Module],
    example: torch.Tensor,
    *,
    weights: Sequence[float] | None = None,
    labels: Sequence[Sequence[str]] | None = None,
) -> nn.Module:
    """The wide network that holds all members side by side; its output is the weighted mean of theirs.

    A layer norm keeps one mean and one variance for each member. The result is a traced module that can be trained.

    Args, Raises: as :func:`fuse`.
    """
    members, anatomies, weights = prepare(members, example, weights, labels)
    kept = surgery.everything(anatomies)
    return surgery.widen(members, anatomies, kept, surgery.assemble(anatomies, members, kept, weights))


def prepare(members, example, weights=None, labels=None):
    """Members as a list, their anatomies and weights; everything that is refused is refused here."""
    members = list(members)
    if not members or not all(isinstance(m, nn.Module) for m in members):
        raise Surgery("give a list of at least one network (torch.nn.Module)")
    if not isinstance(example, torch.Tensor) or example.ndim == 0 or len(example) == 0:
        raise Surgery("give an example input, a tensor of shape (n, ...) with n of at least 1")
    if labels is not None:
        if len(labels) != len(members):
            raise Surgery(f"{len(labels)} lists of labels for {len(members)} members")
        for m, names in enumerate(labels):
            if list(names) != list(labels[0]):
                raise Surgery(
                    f"the outputs of member {m} mean {list(names)}, those of member 0 {list(labels[0])}: reorder them first"
                )
    traced: dict[int, surgery.Anatomy] = {}
    anatomies = []
    for m, member in enumerate(members):
        if type(member) is not type(members[0]):
            raise Surgery(f"member {m} is a {type(member).__name__}, member 0 a {type(members[0]).__name__}")
        if m and id(member) not in traced and surgery.alike(members[0], member):
            traced[id(member)] = anatomies[0]
        if id(member) not in traced:
            try:
                traced[id(member)] = surgery.anatomy(member, example)
            except Surgery as error:
                raise Surgery(f"member {m}: {error}") from None
        anatomies.append(traced[id(member)])
    surgery.compare(anatomies, members)
    if not anatomies[0].groups:
        raise Surgery("the network has no hidden layer, so there is no neuron to transplant")
    return members, anatomies, weights_of(anatomies, weights)


def weights_of(anatomies, weights) -> tuple[float, ...]:
    """By default each member counts with the width of what the output layer reads (section 3.2)."""
    k = len(anatomies)
    if weights is not None:
        given = [float(w) for w in weights]
        if len(given) != k or not all(isfinite(w) and w >= 0 for w in given) or abs(sum(given) - 1) > 1e-9:
            raise Surgery(f"weights={given}: give {k} numbers, none negative, that sum to 1")
        return tuple(given)
    last = next(
        (
            p
            for p in reversed(anatomies[0].parts.values())
            if p.makes_outputs and any(isinstance(a, tuple) for a in p.axes)
        ),
        None,
    )
    if last is None:
        return (1 / k,) * k
    widths = [
        sum(s.size for axis in a.parts[last.name].axes if isinstance(axis, tuple) for s in axis)
        for a in anatomies
    ]
    return tuple(w / sum(widths) for w in widths)


def _scores(anatomies, members, g, score, weights, left, rng) -> list[np.ndarray]:
    units = [a.groups[g].units for a in anatomies]
    if score == "random":
        return [rng.random(n) for n in units]
    if isinstance(score, str):
        each = zip(anatomies, members, weights, strict=True)
        return [
            member_scores(a, m, g, score, w, left[j] if left else None) for j, (a, m, w) in enumerate(each)
        ]
    name = anatomies[0].groups[g].name
    if set(score) != {group.name for group in anatomies[0].groups}:
        raise Surgery(
            f"scores for the groups {sorted(score)}; needed are {[x.name for x in anatomies[0].groups]}"
        )
    given = [np.asarray(s, dtype=float) for s in score[name]]
    if [s.shape for s in given] != [(n,) for n in units] or not all(np.isfinite(s).all() for s in given):
        raise Surgery(f"scores of {name}: give finite numbers of shapes {[(n,) for n in units]}")
    return given


def member_scores(
    anatomy: surgery.Anatomy, member: nn.Module, g: int, score: str, weight: float, left
) -> np.ndarray:
    """Scores of one member's units in a group, shape ``(units,)``; its outputs times ``weight``."""
    if score not in SCORES:
        raise Surgery(f"score={score!r}: choose one of {', '.join(SCORES)}, or give arrays by group")
    return surgery.magnitudes(
        anatomy, member, g, output_weight=weight, left=left, incoming_only=score == "incoming"
    )


def runs(model: nn.Module, example: torch.Tensor) -> None:
    """Refuse a result of other widths that its forward pass does not take."""
    mode = model.training
    try:
        with torch.no_grad():
            model.eval()(example[:2])
    except Exception as error:
        raise Surgery(
            f"with these widths the model no longer runs ({str(error).splitlines()[0]}): its forward pass states widths as "
            "numbers; keep those of the first member"
        ) from error
    finally:
        model.train(mode)
