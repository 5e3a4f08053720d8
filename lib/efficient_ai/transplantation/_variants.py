"""The other ways of section 3 to use transplantation: step by step, in pairs, each member cut first, and pruning alone."""

from collections.abc import Mapping, Sequence
from numbers import Real

import torch
from torch import nn

from efficient_ai.surgery import Surgery
from efficient_ai.transplantation._fuse import Fused, fuse


def iterative(members: Sequence[nn.Module], example: torch.Tensor, **options) -> nn.Module:
    """Fuse the first two, the result with the third, and so on; the last member weighs half in the end.

    Args:
        members, example, options: as :func:`fuse`.
    """
    made = _first(members)
    for member in members[1:]:
        made = fuse([made, member], example, **options).model
    return made


def hierarchical(members: Sequence[nn.Module], example: torch.Tensor, **options) -> nn.Module:
    """Halve the list until two or three are left, fuse these, and fuse the results upwards.

    Halves weigh the same even if they hold different numbers of members.
    """
    _first(members)
    if len(members) <= 3:
        return fuse(members, example, **options).model
    middle = len(members) // 2
    halves = [hierarchical(part, example, **options) for part in (members[:middle], members[middle:])]
    return fuse(halves, example, **options).model


def cut_first(members: Sequence[nn.Module], example: torch.Tensor, **options) -> Fused:
    """Each member is pruned alone to its share of the width, then they are put side by side.

    Scores see each member's own output weights, not divided by the number of members.
    """
    _first(members)
    scores: dict[str, list] = {}
    for member in members:
        for group, found in fuse([member], example).scores.items():
            scores.setdefault(group, []).append(found[0])
    return fuse(members, example, shares=[1 / len(members)] * len(members), score=scores, **options)


def transplant(a: nn.Module, b: nn.Module, example: torch.Tensor, rate: float, **options) -> Fused:
    """Replace a share ``rate`` of the neurons of ``a``, its smallest, by the largest of ``b``.

    The outputs are weighted ``1 - rate`` and ``rate``: at 0 the result is ``a``, at 1 it is ``b``.
    """
    if isinstance(rate, bool) or not isinstance(rate, Real) or not 0 <= rate <= 1:
        raise Surgery(f"rate={rate!r}: the share of transplanted neurons lies between 0 and 1")
    shares = (1 - rate, rate)
    return fuse([a, b], example, shares=shares, weights=shares, **options)


def prune(model: nn.Module, example: torch.Tensor, widths: Mapping[str, int] | float, **options) -> nn.Module:
    """Structured magnitude pruning of one network to these widths: fusion with nobody."""
    return fuse([model], example, widths=widths, **options).model


def _first(members: Sequence[nn.Module]) -> nn.Module:
    if isinstance(members, str) or len(members) < 2 or not all(isinstance(m, nn.Module) for m in members):
        raise Surgery("give a list of at least two networks (torch.nn.Module)")
    return members[0]
