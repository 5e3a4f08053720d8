"""The last resort: processor time multiplied by an assumed power. An estimate, and labelled as one.

    E = P_idle n_cores T + P_core t_cpu

``t_cpu`` is the processor time of this process, its threads and all its children, dead or alive. An estimate is no sensor: it is
a sum of accounts, has no counter that could wrap, and is right within a factor.
"""

from dataclasses import dataclass

from efficient_ai.metering._accounts import usable_cores
from efficient_ai.metering._sensors import Source, Status


@dataclass(frozen=True)
class CpuModel:
    """Assumed powers, in watts per core. Nobody measured them on this machine.

    The defaults are 7.1 W for a busy core, the nominal power of a large server processor over its cores as general
    knowledge has it; two of them are drawn by an idle core too. Laptops and other servers differ: ``factor`` bounds the
    truth above and below.
    """

    idle: float = 2.0
    busy: float = 5.1
    factor: float = 3.0

    def __str__(self) -> str:
        return f"{self.idle:g} W per core, {self.busy:g} W more while busy, right within a factor of {self.factor:g}"


@dataclass(frozen=True)
class Estimate:
    """What the processor cores used, by the model.

    Args:
        model: assumed powers.
        cores: of which the idle power is counted; 0 for a rank on a host where another rank counts them.
    """

    model: CpuModel
    cores: float

    @property
    def idle_watts(self) -> float:
        return self.model.idle * self.cores

    def joules(self, seconds: float, cpu_seconds: float) -> float:
        """Of a window of ``seconds`` in which the processes used ``cpu_seconds``."""
        return self.idle_watts * seconds + self.model.busy * cpu_seconds


def cpu_time(model: CpuModel | None = None, cores: float | None = None) -> Status:
    """The estimate as a source; it is always there.

    Args:
        cores: of which the idle power is counted, all that this process may use if not given.
    """
    model = model or CpuModel()
    estimate = Estimate(model, usable_cores() if cores is None else cores)
    source = Source("estimated:cpu-time", (), f"processor cores, assumed: {model}", estimate=estimate)
    return Status("cpu-time", "ok", str(model), source)
