"""AB-training: data parallel training in groups of which half learn A and half learn B of every weight A B (Coquelin et al. 2024).

The method
    ``ABTraining``                     the run of one rank; also local SGD and plain data parallel training at the same times
    ``Schedule``, ``PUBLISHED``        when ranks train together and when apart; the nine schedules of the authors
    ``merged``, ``MODES``, ``pooled``  the algebra of a merge
    ``state_dict``, ``load_state_dict``, ``save``, ``load``   stop and go on, in any phase
    ``groups_of``, ``ring_sum``, ``two_level_sum``, ``two_level_copy``   sums and copies made of messages
    ``balanced``, ``Place``            a weight as two factors, in any layer

Others that speak less
    ``HalfPrecision``, ``PowerSGD``    gradients in fewer bytes, for data parallel training
    ``Outer``                          an optimiser over the averages of local SGD (DiLoCo)

Counted beforehand and measured
    ``Plan``, ``Sizes``, ``run_bytes``, ``sizes_of``   bytes of a run by item, between groups and within
    ``SlowLink``, ``Alone``            a slow link between groups; a world of one without MPI

Experiments: :mod:`efficient_ai.ab_training.experiments`; the authors' networks: :mod:`efficient_ai.ab_training.published`.
``ABSTRACT``, ``CLAIMS`` and ``PROFILES`` belong to the chapter.
"""

from efficient_ai.ab_training._exchange import groups_of, ring_sum, two_level_copy, two_level_sum
from efficient_ai.ab_training._factored import Place, balanced, factors_cheaper
from efficient_ai.ab_training._link import Alone, SlowLink
from efficient_ai.ab_training._merge import MODES, merged, pooled
from efficient_ai.ab_training._rivals import HalfPrecision, Outer, PowerSGD
from efficient_ai.ab_training._runs import METHODS, Job, Outcome, digits, network
from efficient_ai.ab_training._schedule import NODES, PUBLISHED, Schedule
from efficient_ai.ab_training._state import load, load_state_dict, save, state_dict
from efficient_ai.ab_training._traffic import Bytes, Plan, Sizes, run_bytes, sizes_of, total
from efficient_ai.ab_training._training import KINDS, ABTraining
from efficient_ai.ab_training.claims import ABSTRACT, CLAIMS
from efficient_ai.ab_training.profiles import PROFILES, Profile
from efficient_ai.transport import MPITransport, TorchTransport

__all__ = [
    "ABSTRACT",
    "CLAIMS",
    "KINDS",
    "METHODS",
    "MODES",
    "NODES",
    "PROFILES",
    "PUBLISHED",
    "ABTraining",
    "Alone",
    "Bytes",
    "HalfPrecision",
    "Job",
    "MPITransport",
    "Outcome",
    "Outer",
    "Place",
    "Plan",
    "PowerSGD",
    "Profile",
    "Schedule",
    "Sizes",
    "SlowLink",
    "TorchTransport",
    "balanced",
    "digits",
    "factors_cheaper",
    "groups_of",
    "load",
    "load_state_dict",
    "merged",
    "network",
    "pooled",
    "ring_sum",
    "run_bytes",
    "save",
    "sizes_of",
    "state_dict",
    "total",
    "two_level_copy",
    "two_level_sum",
]
