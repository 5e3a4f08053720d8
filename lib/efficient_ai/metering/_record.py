"""Raw readings as files, and power over time as a picture that needs no plotting package."""

import csv
import json
from html import escape
from pathlib import Path

from efficient_ai.metering._measure import measure
from efficient_ai.metering._sensors import EnergyError


def readings(meter: measure) -> list[dict]:
    """Every reading: seconds since the start, sensor, kind (``counter``, ``power`` or ``cpu-time``), unit, value or ``None``."""
    zero = meter._start.ended if meter._start is not None else 0.0
    rows = []
    for sensor, series in zip(meter.sampler.sensors, meter.sampler.series, strict=True):
        kind, unit = ("counter", "J") if sensor.counter else ("power", "W")
        rows += [
            {"seconds": round(t - zero, 6), "sensor": sensor.name, "kind": kind, "unit": unit, "value": value}
            for t, value in zip(series.times, series.values, strict=True)
        ]
    accounts = meter.sampler.accounts
    rows += [
        {
            "seconds": round(t - zero, 6),
            "sensor": "processes",
            "kind": "cpu-time",
            "unit": "s",
            "value": total,
        }
        for t, total in zip(accounts.times, accounts.totals, strict=True)
    ]
    return sorted(rows, key=lambda row: row["seconds"])


def save(meter: measure, path: str | Path) -> Path:
    """Write the raw readings of a measurement, as CSV or, with the result, as JSON, by the ending of ``path``.

    A reading that failed is an empty field, or ``null``: never 0.

    Raises:
        EnergyError: another ending, or nothing was measured yet.
    """
    path = Path(path)
    if meter._start is None:
        raise EnergyError(f"{meter.name} was not started: there are no readings to save")
    rows = readings(meter)
    if path.suffix == ".csv":
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    elif path.suffix == ".json":
        answer = {"measurement": meter.measurement.as_dict(), "readings": rows}
        path.write_text(json.dumps(answer, indent=1) + "\n", encoding="utf-8")
    else:
        raise EnergyError(f"{path}: readings are saved as .csv or .json")
    return path


def picture(meter: measure, width: int = 720, height: int = 260) -> str:
    """Power over time as SVG, with the label of the source."""
    times, watts = meter.power()
    top = 1.1 * max(watts, default=1.0) or 1.0
    end = max(times, default=1.0) or 1.0
    left, right, above, below = 60, 15, 35, 40

    def place(t: float, w: float) -> str:
        x = left + (width - left - right) * max(t, 0.0) / end
        return f"{x:.1f},{height - below - (height - above - below) * w / top:.1f}"

    line = " ".join(place(t, w) for t, w in zip(times, watts, strict=True))
    title = escape(f"{meter.name}: {meter.source}")
    (x0, y0), (x1, y1) = (place(*corner).split(",") for corner in ((0, 0), (end, top)))
    texts = [(left, 20, "start", title), (left - 6, y0, "end", "0"), (left - 6, y1, "end", f"{top:.3g} W"),
             (x0, height - 18, "middle", "0"), (x1, height - 18, "end", f"{end:.3g} s")]  # fmt: skip
    labels = "".join(
        f'<text x="{x}" y="{y}" text-anchor="{anchor}">{text}</text>' for x, y, anchor, text in texts
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13" role="img" '
        f'aria-label="Power over time"><rect width="100%" height="100%" fill="white"/>{labels}'
        f'<path d="M{x0},{y1} L{x0},{y0} L{x1},{y0}" fill="none" stroke="black"/>'
        f'<polyline points="{line}" fill="none" stroke="#0072b2" stroke-width="2"/></svg>\n'
    )
