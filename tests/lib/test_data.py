"""Shipped data: whole, of the documented shape, with a licence; damaged or missing files say how to mend them."""

import numpy as np
import pytest

from efficient_ai import data
from efficient_ai.data import _registry


@pytest.mark.parametrize("name", data.DATASETS)
def test_shipped_files_are_whole_and_credited(name):
    path = data.open_dataset(name)
    assert path.exists() and path.stat().st_size < 12e6
    dataset = data.DATASETS[name]
    assert dataset.licence and dataset.source and dataset.changes and dataset.licence in dataset.credit


def test_every_shipped_file_is_registered():
    folder = data.open_dataset("fashion_mnist").parent
    assert {path.name for path in folder.iterdir()} == {d.file for d in data.DATASETS.values()}


def test_fashion_mnist_parts_do_not_overlap():
    images = data.fashion_mnist()
    assert images.x_train.shape == (8000, 28, 28) and images.x_valid.shape == images.x_test.shape == (
        2000,
        28,
        28,
    )
    assert images.x_train.dtype == np.float32 and 0 <= images.x_train.min() and images.x_train.max() == 1
    assert set(np.unique(images.y_test)) == set(range(10)) and len(images.classes) == 10
    smaller = data.fashion_mnist(train=100, valid=50, test=10)
    assert np.array_equal(smaller.x_train, images.x_train[:100])
    assert np.array_equal(smaller.x_valid, images.x_valid[-50:])
    with np.load(data.open_dataset("fashion_mnist")) as arrays:
        assert np.array_equal(images.x_train[7999] * 255, arrays["x_train"][7999])
        assert np.array_equal(images.x_valid[0] * 255, arrays["x_train"][8000])


@pytest.mark.parametrize("parts", [{"train": 9000, "valid": 2000}, {"test": 2001}, {"train": -1}])
def test_more_than_is_shipped_is_refused(parts):
    with pytest.raises(ValueError, match="shipped are 10 000"):
        data.fashion_mnist(**parts)


def test_unknown_missing_and_damaged(tmp_path, monkeypatch):
    with pytest.raises(KeyError, match="shipped are fashion_mnist"):
        data.open_dataset("cifar")
    (tmp_path / "files").mkdir()
    monkeypatch.setattr(_registry.resources, "files", lambda package: tmp_path)
    _registry.open_dataset.cache_clear()
    with pytest.raises(data.DataError, match=r"missing\. Restore it with: git checkout"):
        data.open_dataset("fashion_mnist")
    (tmp_path / "files" / "fashion_mnist_12k.npz").write_bytes(b"broken")
    with pytest.raises(data.DataError, match="damaged"):
        data.open_dataset("fashion_mnist")
    _registry.open_dataset.cache_clear()


def test_european_generation_is_hourly_complete_and_keeps_its_gaps():
    series = data.european_generation()
    assert series.values.shape == (20, 35_066) and series.values.dtype == np.float32
    assert series.names == tuple(sorted(series.names)) and {"DE", "FR", "GB", "IT"} < set(series.names)
    assert series.zone == "UTC" and series.unit == "MW"
    assert np.unique(np.diff(series.times)) == np.timedelta64(1, "h")
    assert str(series.times[0]) == "2016-12-31T22" and str(series.times[-1]) == "2020-12-31T23"
    missing = np.isnan(series.values).mean(axis=1)
    assert missing.max() <= 0.005 and missing.min() < 1e-4 and np.nanmin(series.values) >= 0
    yearly = np.nanmean(series.values[series.names.index("DE")])
    assert 55_000 < yearly < 62_000, "mean power of Germany in MW"


def test_household_power_is_in_quarter_hours_without_gaps():
    series = data.household_power()
    assert series.values.shape == (1, 138_352) and series.unit == "kW"
    assert np.unique(np.diff(series.times)) == np.timedelta64(15, "m")
    assert str(series.times[0]) == "2006-12-16T17:15" and str(series.times[-1]) == "2010-11-26T21:00"
    assert 1.0 < series.values.mean() < 1.2 and 0 < series.values.min() and series.values.max() < 9


def test_the_weather_has_north_on_top_and_longitudes_from_greenwich():
    weather = data.era5_surface()
    assert weather.fields.shape == (4, 4, 181, 360) and weather.fields.dtype == np.float32
    assert weather.units == ("Pa", "m/s", "m/s", "K") and len(weather.hours) == 4
    assert weather.latitude[0] == 90 and weather.latitude[-1] == -90 and weather.longitude[0] == 0
    pressure, eastward, northward, temperature = weather.fields.mean(axis=0)
    assert 98_000 < pressure.mean() < 103_000 and 270 < temperature.mean() < 295

    def at(field, latitude, longitude):
        return field[
            np.flatnonzero(weather.latitude == latitude)[0], np.flatnonzero(weather.longitude == longitude)[0]
        ]

    # In March the ice of the south is colder than that of the north; Greenland is colder than the sea beside it; over the
    # southern ocean the wind blows from the west.
    assert temperature[-1].mean() < temperature[0].mean() - 5
    assert at(temperature, 72, 320) < at(temperature, 72, 5) - 10
    assert eastward[np.flatnonzero(weather.latitude == -52)[0]].mean() > 4 > abs(northward.mean())
