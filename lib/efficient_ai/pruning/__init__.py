"""Cut a forecaster down.

:func:`descend` walks down a bowl with a noisy slope, :func:`average` takes the mean of where it has been. Replace both by
the method of the paper, and this sentence by one that says what it does.
"""

from efficient_ai.pruning._method import average, descend
from efficient_ai.pruning.claims import ABSTRACT, CLAIMS
from efficient_ai.pruning.profiles import PROFILES, Profile

__all__ = ["ABSTRACT", "CLAIMS", "PROFILES", "Profile", "average", "descend"]
