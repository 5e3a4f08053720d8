"""Real data that ships with the book: loaders with checksum, licence and credit. Nothing is fetched at run time."""

from efficient_ai.data._images import Images, digits, fashion_mnist
from efficient_ai.data._registry import DATASETS, DataError, Dataset, credits_html, open_dataset
from efficient_ai.data._series import Series, european_generation, household_power
from efficient_ai.data._weather import SurfaceWeather, era5_surface

__all__ = [
    "DATASETS",
    "DataError",
    "Dataset",
    "Images",
    "Series",
    "SurfaceWeather",
    "credits_html",
    "digits",
    "era5_surface",
    "european_generation",
    "fashion_mnist",
    "household_power",
    "open_dataset",
]
