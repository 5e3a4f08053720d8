"""Jigsaw: one weather model cut into pieces, every tensor of it, over MPI ranks (Kieckhefen et al., arXiv 2507.05753).

The method
    ``Grid``                        which rank holds which block
    ``plan``, ``work``              who multiplies what, as data; block products of each rank
    ``multiply``, ``transpose``     X W, X W^T, X^T W and X^T of blocks, on any grid
    ``execute``, ``Job``            several products at once, a shared block travels once
    ``MPITransport``, ``TorchTransport``, ``gather_small``   how blocks travel
    ``Serial``, ``Sharded``, ``GroupedNorm``   the operations of a model, whole or in pieces

The model
    ``MixerConfig``, ``WeatherMixer``      the same code, serial and sharded
    ``parameters``, ``forward_flops``, ``training_flops``
    ``save``, ``load``                     keep it, and go on with any cut of it
    ``weighted_loss``, ``train_step``, ``finish_gradients``, ``clip_gradients``, ``adam``, ``latitude_weights``

Counted beforehand and measured
    ``elements_sent``, ``step_elements``, ``memory``   traffic and memory of any model on any grid, without allocating it
    ``held_bytes``, ``kept_bytes``, ``Watch``          the same, from the tensors of a run
    ``SampleFile``, ``Throttle``, ``Prefetcher``       reading a sample in pieces
    ``SampleList``                                     files for training, looked at before the first step

Weather and experiments: ``Atmosphere``, ``Sphere``; :mod:`efficient_ai.jigsaw.forecast`,
:mod:`efficient_ai.jigsaw.experiments`, :mod:`efficient_ai.jigsaw.costs`, :mod:`efficient_ai.jigsaw.published`,
:mod:`efficient_ai.jigsaw.peers`.
``CLAIMS`` and ``PROFILES`` belong to the chapter.
"""

from efficient_ai.jigsaw._checkpoint import load, save
from efficient_ai.jigsaw._config import MixerConfig, forward_flops, parameters, training_flops
from efficient_ai.jigsaw._execute import execute, multiply, transpose
from efficient_ai.jigsaw._functions import ExactLayerNorm, LinearXTW, LinearXW, LinearXWT, Place, Transpose
from efficient_ai.jigsaw._grid import Grid
from efficient_ai.jigsaw._memory import Watch, held_bytes, kept_bytes
from efficient_ai.jigsaw._model import WeatherMixer
from efficient_ai.jigsaw._ops import GroupedNorm, Serial, Sharded
from efficient_ai.jigsaw._plan import plan, work
from efficient_ai.jigsaw._reader import Prefetcher, SampleFile, Throttle
from efficient_ai.jigsaw._samples import SampleList
from efficient_ai.jigsaw._sphere import Sphere
from efficient_ai.jigsaw._tasks import Job
from efficient_ai.jigsaw._traffic import elements_sent, memory, products_per_step, step_elements
from efficient_ai.jigsaw._training import (
    adam,
    clip_gradients,
    finish_gradients,
    latitude_weights,
    train_step,
    weighted_loss,
)
from efficient_ai.jigsaw._vorticity import Atmosphere, Climate
from efficient_ai.jigsaw.claims import CLAIMS
from efficient_ai.jigsaw.profiles import PROFILES
from efficient_ai.transport import MPITransport, TorchTransport, Transport, gather_small

__all__ = [
    "CLAIMS",
    "PROFILES",
    "Atmosphere",
    "Climate",
    "ExactLayerNorm",
    "Grid",
    "GroupedNorm",
    "Job",
    "LinearXTW",
    "LinearXW",
    "LinearXWT",
    "MPITransport",
    "MixerConfig",
    "Place",
    "Prefetcher",
    "SampleFile",
    "SampleList",
    "Serial",
    "Sharded",
    "Sphere",
    "Throttle",
    "TorchTransport",
    "Transport",
    "Transpose",
    "Watch",
    "WeatherMixer",
    "adam",
    "clip_gradients",
    "elements_sent",
    "execute",
    "finish_gradients",
    "forward_flops",
    "gather_small",
    "held_bytes",
    "kept_bytes",
    "latitude_weights",
    "load",
    "memory",
    "multiply",
    "parameters",
    "plan",
    "products_per_step",
    "save",
    "step_elements",
    "train_step",
    "training_flops",
    "transpose",
    "weighted_loss",
    "work",
]
