"""Pruning of forecasting transformers: single weights are masked, or channels removed with all that is coupled to them.

:func:`mask` zeroes the smallest weights of all layers together and :class:`Masks` keeps them zero; :func:`shrink` takes whole
channels out, along the groups that :func:`efficient_ai.surgery.anatomy` finds. The networks are those of
:mod:`efficient_ai.forecasters.seq2seq`.
"""

from efficient_ai.pruning._masks import Count, Masks, global_l1, mask, prunable
from efficient_ai.pruning._structured import IMPORTANCES, Evidence, choose, collect, importance, shrink

__all__ = [
    "IMPORTANCES",
    "Count",
    "Evidence",
    "Masks",
    "choose",
    "collect",
    "global_l1",
    "importance",
    "mask",
    "prunable",
    "shrink",
]
