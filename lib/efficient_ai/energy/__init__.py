"""The instrument: joules of a piece of code, with where they come from, how sure they are, and grams of CO2.

::

    with energy.measure("training") as m:
        train()
    m.joules, m.watts, m.seconds, m.source, m.uncertainty, m.grams

* ``measure(name)``                 a ``with`` block or a decorator; ``m.region(name)`` for parts of it
* ``measure_job(comm, name)``       the same on MPI ranks: one reader per host, totals of the whole job
* ``Measurement``                   the result: joules with interval, label of the source, notes, CO2 with place and date
* ``survey()``, ``best()``          which sources there are on this machine, in which state, and which one is used
* ``rapl``, ``nvml``, ``slurm``, ``hwmon``, ``ipmi``, ``cpu_time``   the sources one by one, each a ``Status``
* ``Trace``, ``replay(trace)``      a recorded power trace in place of a sensor, labelled so
* ``idle(seconds)``                 the baseline for net energy
* ``attribute(...)``                a package's energy shared out to processes, by a stated rule
* ``Series``, ``Sampler``           raw readings, their integration; reading them on the monotonic clock
* ``Intensity``, ``GERMANY``        grams per kilowatt-hour with place and date

A label begins with ``measured:``, ``replayed:`` or ``estimated:`` and goes with the number wherever it is shown.
:mod:`efficient_ai.energy.faketree` has a powercap tree of plain files for tests and exercises.

The chapter on energy adds modules that are not imported here: :mod:`efficient_ai.energy.nodes` (power of a node as a sum of parts),
:mod:`efficient_ai.energy.sampling` (what sampling does to an energy), :mod:`efficient_ai.energy.forecast`,
:mod:`efficient_ai.energy.vgg`, :mod:`efficient_ai.energy.kernels` and :mod:`efficient_ai.energy.workload` (what is measured),
:mod:`efficient_ai.energy.overhead` (what measuring costs), :mod:`efficient_ai.energy.peers` (the benchmark beside other tools),
:mod:`efficient_ai.energy.measure_board` and :mod:`efficient_ai.energy.board` (what the counter of a GPU says),
:mod:`efficient_ai.energy.claims`, :mod:`efficient_ai.energy.profiles`, :mod:`efficient_ai.energy.figures`, and
:mod:`efficient_ai.energy.benches` (test benches of the exercises).
"""

from efficient_ai.energy._board import hwmon, ipmi
from efficient_ai.energy._carbon import GERMANY, JOULES_PER_KWH, Intensity
from efficient_ai.energy._cputime import CpuModel, cpu_time, machine_seconds, tree_seconds, usable_cores
from efficient_ai.energy._integrate import Series, Window, delta, trapezoid
from efficient_ai.energy._job import attribute, measure_job, merge
from efficient_ai.energy._ladder import best, survey
from efficient_ai.energy._measure import Measurement, idle, measure, quantity
from efficient_ai.energy._nvml import nvml
from efficient_ai.energy._rapl import POWERCAP, rapl, zones
from efficient_ai.energy._replay import Trace, replay
from efficient_ai.energy._sampler import Sampler
from efficient_ai.energy._sensors import STATES, EnergyError, Sensor, Source, Status
from efficient_ai.energy._slurm import consumed, slurm

__all__ = [
    "GERMANY",
    "JOULES_PER_KWH",
    "POWERCAP",
    "STATES",
    "CpuModel",
    "EnergyError",
    "Intensity",
    "Measurement",
    "Sampler",
    "Sensor",
    "Series",
    "Source",
    "Status",
    "Trace",
    "Window",
    "attribute",
    "best",
    "consumed",
    "cpu_time",
    "delta",
    "hwmon",
    "idle",
    "ipmi",
    "machine_seconds",
    "measure",
    "measure_job",
    "merge",
    "nvml",
    "quantity",
    "rapl",
    "replay",
    "slurm",
    "survey",
    "trapezoid",
    "tree_seconds",
    "usable_cores",
    "zones",
]
