"""Pruning of forecasting transformers: single weights are masked, or channels removed with all that is coupled to them.

:func:`mask` zeroes the smallest weights of all layers together and :class:`Masks` keeps them zero; :func:`shrink` takes whole
channels out, along the groups that :func:`efficient_ai.surgery.anatomy` finds. The networks are those of
:mod:`efficient_ai.forecasters.seq2seq`.
"""

from efficient_ai.pruning._cost import Work, milliseconds, work
from efficient_ai.pruning._masks import Count, Masks, global_l1, mask, prunable
from efficient_ai.pruning._series import Bed, bed, errors, naive, of, ridge
from efficient_ai.pruning._structured import IMPORTANCES, Evidence, choose, collect, importance, shrink
from efficient_ai.pruning._train import Recipe, build, dead, train
from efficient_ai.pruning.claims import ABSTRACT, CLAIMS
from efficient_ai.pruning.profiles import DENSITIES, PROFILES, Profile

__all__ = [
    "ABSTRACT",
    "CLAIMS",
    "DENSITIES",
    "IMPORTANCES",
    "PROFILES",
    "Bed",
    "Count",
    "Evidence",
    "Masks",
    "Profile",
    "Recipe",
    "Work",
    "bed",
    "build",
    "choose",
    "collect",
    "dead",
    "errors",
    "global_l1",
    "importance",
    "mask",
    "milliseconds",
    "naive",
    "of",
    "prunable",
    "ridge",
    "shrink",
    "train",
    "work",
]
