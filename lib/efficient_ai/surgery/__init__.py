"""Surgery on trained networks: which channels hang together, and joining or cutting them exactly.

:func:`anatomy` follows a model's forward pass and finds its groups of coupled channels. :func:`assemble` builds every tensor
of a network out of chosen channels of one or several others; :func:`rebuild` puts them into a model.
"""

from efficient_ai.surgery._anatomy import OUTPUTS, SHARED, Anatomy, Group, Part, Segment, anatomy
from efficient_ai.surgery._assemble import Kept, add, assemble, blank, block, everything, shared
from efficient_ai.surgery._compare import compare, finite, tensors
from efficient_ai.surgery._labels import Surgery
from efficient_ai.surgery._rebuild import MemberNorm, rebuild, widen
from efficient_ai.surgery._scores import magnitudes

__all__ = [
    "Anatomy",
    "Group",
    "Kept",
    "MemberNorm",
    "OUTPUTS",
    "Part",
    "SHARED",
    "Segment",
    "Surgery",
    "add",
    "anatomy",
    "assemble",
    "blank",
    "block",
    "compare",
    "everything",
    "finite",
    "magnitudes",
    "rebuild",
    "shared",
    "tensors",
    "widen",
]
