"""Freeze the basis, train the rest.

:func:`descend` walks down a bowl with a noisy slope, :func:`average` takes the mean of where it has been. Replace both by
the method of the paper, and this sentence by one that says what it does.
"""

from efficient_ai.oialr._method import average, descend
from efficient_ai.oialr.claims import ABSTRACT, CLAIMS
from efficient_ai.oialr.profiles import PROFILES, Profile

__all__ = ["ABSTRACT", "CLAIMS", "PROFILES", "Profile", "average", "descend"]
