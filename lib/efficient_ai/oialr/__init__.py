"""Train in full until the basis of each weight has settled, freeze it, and train the small matrix between (OIALR).

* ``OIALR(model, optimizer, Schedule(...))``   makes any model adaptive; ``optimizer.step()`` does the rest
* ``state_dict``, ``load_state_dict``          go on at any step and any rank
* ``counts``, ``optimizer_bytes``              what is trained, what is stored, what the optimiser holds
* ``stability``, ``cosine``, ``mixing``        what of a weight still changes
* ``Factored``                                 one weight as ``U S Vh``
"""

from efficient_ai.oialr._adaptive import FLAT, OIALR
from efficient_ai.oialr._factored import Factored, dense_cost, factored_cost
from efficient_ai.oialr._moments import MOMENTS
from efficient_ai.oialr._schedule import Schedule
from efficient_ai.oialr._stability import basis, cosine, mixing, stability
from efficient_ai.oialr._state import Counts, counts, load_state_dict, optimizer_bytes, state_dict
from efficient_ai.oialr.claims import ABSTRACT, CLAIMS
from efficient_ai.oialr.profiles import PROFILES, Profile

__all__ = [
    "ABSTRACT",
    "CLAIMS",
    "FLAT",
    "MOMENTS",
    "OIALR",
    "PROFILES",
    "Counts",
    "Factored",
    "Profile",
    "Schedule",
    "basis",
    "cosine",
    "counts",
    "dense_cost",
    "factored_cost",
    "load_state_dict",
    "mixing",
    "optimizer_bytes",
    "stability",
    "state_dict",
]
