"""AB-training: data parallel training in groups of which half learn A and half learn B of every weight A B (Coquelin et al. 2024).

The method
    ``ABTraining``                     the run of one rank; also local SGD and plain data parallel training at the same times
    ``Schedule``, ``PUBLISHED``        when ranks train together and when apart; the nine schedules of the authors
    ``merged``, ``MODES``, ``pooled``  the algebra of a merge
    ``state_dict``, ``load_state_dict``, ``save``, ``load``   stop and go on, in any phase
    ``groups_of``, ``ring_sum``, ``two_level_sum``, ``two_level_copy``   sums and copies made of messages
    ``balanced``                       a weight as two factors
"""

from efficient_ai.ab_training._exchange import groups_of, ring_sum, two_level_copy, two_level_sum
from efficient_ai.ab_training._factored import Place, balanced
from efficient_ai.ab_training._merge import MODES, merged, pooled
from efficient_ai.ab_training._schedule import NODES, PUBLISHED, Schedule
from efficient_ai.ab_training._state import load, load_state_dict, save, state_dict
from efficient_ai.ab_training._training import KINDS, ABTraining

__all__ = [
    "KINDS",
    "MODES",
    "NODES",
    "PUBLISHED",
    "ABTraining",
    "Place",
    "Schedule",
    "balanced",
    "groups_of",
    "load",
    "load_state_dict",
    "merged",
    "pooled",
    "ring_sum",
    "save",
    "state_dict",
    "two_level_copy",
    "two_level_sum",
]
