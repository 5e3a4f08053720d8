"""The instrument: joules of a piece of code, with where they come from, how sure they are, and grams of CO2.

::

    with metering.measure("training") as m:
        train()
    m.joules, m.watts, m.seconds, m.source, m.uncertainty, m.grams

* ``measure(name)``                 a ``with`` block or a decorator; ``m.region(name)`` for parts of it
* ``measure_job(comm, name)``       the same on MPI ranks: one reader per host, totals of the whole job
* ``Measurement``                   the result: joules with interval, label of the source, notes, CO2 with place and date
* ``survey()``, ``best()``          which sources there are on this machine, in which state, and which one is used
* ``slurm``, ``pm_counters``, ``rapl``, ``perf``, ``nvml``, ``amdsmi``, ``hwmon``, ``ipmi``, ``cpu_time``   the sources one by one,
  each a ``Status``
* ``Trace``, ``replay(trace)``      a recorded power trace in place of a sensor, labelled so
* ``repeat(work)``, ``difference``  the same work several times, warmed up; whether two of them differ believably
* ``save(m, path)``, ``picture(m)``  raw readings as CSV or JSON; power over time as a picture
* ``idle(seconds)``                 the baseline for net energy
* ``attribute(...)``                a package's energy shared out to processes, by a stated rule
* ``Series``, ``Sampler``           raw readings, their integration; reading them on the monotonic clock
* ``Intensity``, ``GERMANY``        grams per kilowatt-hour with place and date

A label begins with ``measured:``, ``replayed:`` or ``estimated:`` and goes with the number wherever it is shown.
``python -m efficient_ai.metering run -- COMMAND`` measures a command, ``... sensors`` lists what this machine offers.
:mod:`efficient_ai.metering.faketree` has a powercap tree of plain files for tests and exercises.
"""

from efficient_ai.metering._accounts import Accounts, machine_seconds, quota, tree_seconds, usable_cores
from efficient_ai.metering._amd import amdsmi
from efficient_ai.metering._board import hwmon, ipmi
from efficient_ai.metering._carbon import GERMANY, JOULES_PER_KWH, Intensity
from efficient_ai.metering._counter import Counter, delta
from efficient_ai.metering._cray import pm_counters
from efficient_ai.metering._estimate import CpuModel, Estimate, cpu_time
from efficient_ai.metering._integrate import Series, Window, trapezoid
from efficient_ai.metering._job import attribute, measure_job, merge
from efficient_ai.metering._ladder import best, survey, survey_here
from efficient_ai.metering._measure import measure, remark, withdraw
from efficient_ai.metering._measurement import Measurement, quantity
from efficient_ai.metering._nvml import nvml
from efficient_ai.metering._perf import perf
from efficient_ai.metering._rapl import POWERCAP, rapl, zones
from efficient_ai.metering._record import picture, readings, save
from efficient_ai.metering._repeat import Difference, Repeats, difference, idle, repeat
from efficient_ai.metering._replay import Trace, replay
from efficient_ai.metering._sampler import Sampler
from efficient_ai.metering._sensors import STATES, EnergyError, Sensor, Source, Status, is_measured
from efficient_ai.metering._slurm import consumed, slurm

__all__ = [
    "GERMANY",
    "JOULES_PER_KWH",
    "POWERCAP",
    "STATES",
    "Accounts",
    "Counter",
    "CpuModel",
    "Difference",
    "EnergyError",
    "Estimate",
    "Intensity",
    "Measurement",
    "Repeats",
    "Sampler",
    "Sensor",
    "Series",
    "Source",
    "Status",
    "Trace",
    "Window",
    "amdsmi",
    "attribute",
    "best",
    "consumed",
    "cpu_time",
    "delta",
    "difference",
    "hwmon",
    "idle",
    "ipmi",
    "is_measured",
    "machine_seconds",
    "measure",
    "measure_job",
    "merge",
    "nvml",
    "perf",
    "picture",
    "pm_counters",
    "quantity",
    "quota",
    "rapl",
    "readings",
    "remark",
    "repeat",
    "replay",
    "save",
    "slurm",
    "survey",
    "survey_here",
    "trapezoid",
    "tree_seconds",
    "usable_cores",
    "withdraw",
    "zones",
]
