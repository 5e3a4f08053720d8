"""Weather as arrays."""

from dataclasses import dataclass

import numpy as np

from efficient_ai.data._registry import open_dataset


@dataclass(frozen=True)
class SurfaceWeather:
    """Global fields at the surface.

    Args:
        fields: float32, shape ``(times, variables, lat, lon)``, in SI units, rows from north to south, columns from 0 degrees east.
        variables: names of the variables.
        units: their units.
        hours: hours since 25 March 2026, 00 UTC, of each time.
        latitude, longitude: in degrees.
    """

    fields: np.ndarray
    variables: tuple[str, ...]
    units: tuple[str, ...]
    hours: np.ndarray
    latitude: np.ndarray
    longitude: np.ndarray


_VARIABLES = {
    "msl": ("pressure at sea level", "Pa"),
    "u10": ("zonal wind at 10 m", "m/s"),
    "v10": ("meridional wind at 10 m", "m/s"),
    "t2m": ("temperature at 2 m", "K"),
}


def era5_surface() -> SurfaceWeather:
    """ERA5 at 1 degree, four times, four variables: for maps, loading and sharding, far too little to learn from."""
    with np.load(open_dataset("era5_surface")) as arrays:
        fields = [arrays[name].astype(np.float32) * arrays[f"{name}_step"] for name in _VARIABLES]
        hours = arrays["hours"].astype(int)
    return SurfaceWeather(
        np.stack(fields, axis=1),
        tuple(name for name, _ in _VARIABLES.values()),
        tuple(unit for _, unit in _VARIABLES.values()),
        hours,
        np.linspace(90, -90, 181),
        np.arange(360.0),
    )
