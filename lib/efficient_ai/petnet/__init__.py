"""Pairing photons with spikes: the coincidence sorter of the PETNet paper, and the classical sorters beside it.

Debus et al., "PETNet – Coincident Particle Event Detection using Spiking Neural Networks", NICE 2024,
DOI 10.1109/NICE61972.2024.10549584. Rebuilt from the description.

* the scanner: :class:`Detector`, :class:`Hits`, :class:`Pairs`, :func:`raster`, :func:`hits_of`
* data as the paper makes them: :class:`Settings`, :func:`generate`, :data:`STANDARD`, :data:`SAFIR`, :data:`SMALL`
* data from physics: :class:`Scanner`, :class:`Phantom`, :class:`Physics`, :func:`scan`, :func:`coincidences`
* both: a scanner that nobody calibrated, as a :class:`Stream`; :func:`uncalibrated`, :func:`frames`, :func:`listen`
* classical sorters: :class:`Window`, :func:`sort_plain`, :func:`sort_arrays`, :func:`sort_compiled`; delays from hits
  alone: :func:`calibrate`
* the network: :func:`lif`, :class:`SpikingNetwork`, :func:`geometry_channels` and its losses; over all bins, or driven by
  events: :func:`event_driven`
* learning: :class:`Recipe`, :func:`learn`, :func:`judge`; modules :mod:`efficient_ai.petnet.trained` (networks that
  ship) and :mod:`efficient_ai.petnet.timing`
* judging: :func:`score_hits`, :func:`score_pairs`
* modules :mod:`efficient_ai.petnet.physics` (formulas), :mod:`efficient_ai.petnet.imaging` (pictures),
  :mod:`efficient_ai.petnet.replay` (Brian2), :mod:`efficient_ai.petnet.figures` (imports plotly)
"""

from efficient_ai.petnet._calibration import calibrate
from efficient_ai.petnet._coincidences import KINDS, Coincidences, coincidences
from efficient_ai.petnet._detector import Detector
from efficient_ai.petnet._driven import Work, event_driven
from efficient_ai.petnet._events import Hits, Pairs, hits_of, raster
from efficient_ai.petnet._generator import (
    SAFIR,
    SMALL,
    STANDARD,
    TINY,
    Recording,
    Settings,
    draw_delays,
    generate,
)
from efficient_ai.petnet._learn import (
    LOSSES,
    Recipe,
    Trained,
    found,
    judge,
    learn,
    listen,
    output_hits,
    output_of,
    test_set,
    valid_set,
)
from efficient_ai.petnet._losses import (
    count_loss,
    per_bin_loss,
    published_chamfer_loss,
    published_timing_loss,
    trace_loss,
)
from efficient_ai.petnet._montecarlo import GEOMETRY, Physics, Scan, scan
from efficient_ai.petnet._neurons import (
    SpikingNetwork,
    decay_filter,
    geometry_channels,
    lif,
    paper_arctan,
    released_arctan,
)
from efficient_ai.petnet._scanner import MOUSE, RODS, Phantom, Scanner
from efficient_ai.petnet._scores import Score, score_hits, score_pairs
from efficient_ai.petnet._sorters import Window, sort_arrays, sort_bins, sort_compiled, sort_plain
from efficient_ai.petnet._stream import BARS, Stream, answered, frames, uncalibrated
from efficient_ai.petnet.claims import CLAIMS
from efficient_ai.petnet.profiles import PROFILES

__all__ = [
    "BARS",
    "CLAIMS",
    "GEOMETRY",
    "KINDS",
    "LOSSES",
    "MOUSE",
    "PROFILES",
    "RODS",
    "SAFIR",
    "SMALL",
    "STANDARD",
    "TINY",
    "Coincidences",
    "Detector",
    "Hits",
    "Pairs",
    "Phantom",
    "Physics",
    "Recipe",
    "Recording",
    "Scan",
    "Scanner",
    "Score",
    "Settings",
    "SpikingNetwork",
    "Stream",
    "Trained",
    "Window",
    "Work",
    "answered",
    "calibrate",
    "coincidences",
    "count_loss",
    "decay_filter",
    "draw_delays",
    "event_driven",
    "found",
    "frames",
    "generate",
    "geometry_channels",
    "hits_of",
    "judge",
    "learn",
    "lif",
    "listen",
    "output_hits",
    "output_of",
    "paper_arctan",
    "per_bin_loss",
    "published_chamfer_loss",
    "published_timing_loss",
    "raster",
    "released_arctan",
    "scan",
    "score_hits",
    "score_pairs",
    "sort_arrays",
    "sort_bins",
    "sort_compiled",
    "sort_plain",
    "test_set",
    "trace_loss",
    "uncalibrated",
    "valid_set",
]
