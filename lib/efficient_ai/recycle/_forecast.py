"""What a forecast is: steps with their times, values and quantiles, as a table, a file and a figure."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from efficient_ai._files import write_atomic
from efficient_ai.recycle._clock import DAY, HOUR, offsets


@dataclass(frozen=True)
class Forecast:
    """The coming days of some series.

    Args:
        times: start of each step, ``datetime64[s]``, shape ``(steps,)``: UTC where there is a ``zone``, else the clock of
            the series. A day on which the clock is set has an hour less or more.
        values: in the unit of the series, shape ``(series, steps)``.
        quantiles: shape ``(series, steps, levels)``.
        levels: of the quantiles, ascending, shape ``(levels,)``.
        names: of the series.
        zone: by whose midnight days begin, or None.
        chosen: the method.
        past_times, past: the days before by the clock of the wall, for the figure, shapes ``(n,)`` and ``(series, n)``.
    """

    times: np.ndarray
    values: np.ndarray
    quantiles: np.ndarray
    levels: np.ndarray
    names: tuple[str, ...]
    zone: str | None
    chosen: str
    past_times: np.ndarray
    past: np.ndarray

    def frame(self):
        """A pandas DataFrame, by time in the own zone; columns are the series, and ``name 0.1`` to ``name 0.9``."""
        import pandas as pd

        columns = {}
        for name, values, fan in zip(self.names, self.values, self.quantiles, strict=True):
            columns[name] = values
            columns |= {f"{name} {level:.3g}": fan[:, k] for k, level in enumerate(self.levels)}
        index = pd.DatetimeIndex(self.times, name="time")
        return pd.DataFrame(
            columns, index if self.zone is None else index.tz_localize("UTC").tz_convert(self.zone)
        )

    def export(self, path: Path | str) -> None:
        """Write the table of :meth:`frame` as CSV; the times carry their offset from UTC."""
        write_atomic(Path(path), self.frame().to_csv().encode())

    def figure(self, name: str | None = None):
        """A Plotly figure of a series, the first one if no name is given: two weeks before, forecast, and its fan."""
        from efficient_ai.recycle.figures import forecast_figure

        return forecast_figure(self, name)


def steps_of(first: np.datetime64, days: int, cycle: int, zone: str | None, phase: int = 0):
    """The steps that a clock shows in ``days`` days: which time, which day, which step of the day.

    Returns:
        times (``datetime64[s]``, UTC if there is a ``zone``), index of the day, index of the step; each ``(steps,)``
    """
    step, begin = DAY // cycle, int(first.astype("datetime64[D]").astype(int)) * DAY
    wall = begin + phase + np.arange(days * cycle) * step
    if zone is None:
        return (
            wall.astype("datetime64[s]"),
            np.repeat(np.arange(days), cycle),
            np.tile(np.arange(cycle), days),
        )
    if step > HOUR:  # folded by the wall
        times = wall - offsets(wall, zone)
        times = wall - offsets(np.sort(times), zone)
        return (
            times.astype("datetime64[s]"),
            np.repeat(np.arange(days), cycle),
            np.tile(np.arange(cycle), days),
        )
    around = wall[0] - int(offsets(wall[:1], zone)[0]) + np.arange(-DAY // step, (days + 1) * cycle) * step
    local = around + offsets(around, zone)
    inside = (local >= begin) & (local < begin + days * DAY)
    local = local[inside] - begin
    return around[inside].astype("datetime64[s]"), local // DAY, local % DAY // step
