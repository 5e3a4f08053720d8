"""The chapter on energy: what it measures, what it models, and what it shows. The instrument itself is :mod:`efficient_ai.metering`.

:mod:`efficient_ai.energy.nodes` (power of a node as a sum of parts), :mod:`efficient_ai.energy.sampling` (what sampling does to an
energy), :mod:`efficient_ai.energy.forecast`, :mod:`efficient_ai.energy.vgg`, :mod:`efficient_ai.energy.kernels` and
:mod:`efficient_ai.energy.workload` (what is measured), :mod:`efficient_ai.energy.overhead` (what measuring costs),
:mod:`efficient_ai.energy.peers` (the benchmark beside other tools), :mod:`efficient_ai.energy.measure_board` and
:mod:`efficient_ai.energy.board` (what the counter of a GPU says), :mod:`efficient_ai.energy.experiments` (what is run for the
claims), :mod:`efficient_ai.energy.claims`,
:mod:`efficient_ai.energy.profiles`, :mod:`efficient_ai.energy.figures`, and :mod:`efficient_ai.energy.benches` (test benches of the
exercises).
"""

from efficient_ai.energy.claims import ABSTRACT
from efficient_ai.energy.profiles import PROFILES

__all__ = ["ABSTRACT", "CLAIMS", "PROFILES"]


def __getattr__(name: str):
    """``CLAIMS``: those of this machine. Its sensors are looked for when they are asked for, not when this is imported."""
    if name != "CLAIMS":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from efficient_ai.energy.claims import claims
    from efficient_ai.metering import survey_here

    return claims(survey_here())
