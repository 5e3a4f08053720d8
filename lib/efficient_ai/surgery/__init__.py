"""Surgery on trained networks: which channels hang together, and joining or cutting them exactly.

:func:`anatomy` follows a model's forward pass and finds its groups of coupled channels. :func:`assemble` builds every tensor
of a network out of chosen channels of one or several others; :func:`rebuild` puts them into a model.
"""

from efficient_ai.surgery._anatomy import OUTPUTS, SHARED, Anatomy, Group, Part, Segment, anatomy
from efficient_ai.surgery._assemble import Kept, add, assemble, blank, block, block_shape, everything, shared
from efficient_ai.surgery._compare import alike, all_finite, compare, fit, kinds, tensors
from efficient_ai.surgery._cut import cut, sliced
from efficient_ai.surgery._labels import Surgery
from efficient_ai.surgery._rebuild import MemberNorm, rebuild, widen
from efficient_ai.surgery._scores import magnitudes

__all__ = [
    "OUTPUTS",
    "SHARED",
    "Anatomy",
    "Group",
    "Kept",
    "MemberNorm",
    "Part",
    "Segment",
    "Surgery",
    "add",
    "alike",
    "all_finite",
    "anatomy",
    "assemble",
    "blank",
    "block",
    "block_shape",
    "compare",
    "cut",
    "everything",
    "fit",
    "kinds",
    "magnitudes",
    "rebuild",
    "shared",
    "sliced",
    "tensors",
    "widen",
]
