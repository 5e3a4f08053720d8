"""A forecast of one's own series, from tables and files made here: gaps, quarter hours, both changes of the clock."""

import numpy as np
import pandas as pd
import pytest
import torch

from efficient_ai import recycle
from efficient_ai.recycle import _forecast
from efficient_ai.recycle.__main__ import main

BERLIN = "Europe/Berlin"


def table(first="2022-02-10", last="2022-11-10", freq="h", columns=("load",), noise=1.0):
    """A load by the wall of Berlin: working days are higher."""
    times = pd.date_range(first, last, freq=freq, tz=BERLIN, inclusive="left")
    rng = np.random.default_rng(0)
    shape = 50 + 10 * np.sin(2 * np.pi * (times.hour + times.minute / 60) / 24) + 8 * (times.day_of_week < 5)
    return pd.DataFrame({c: (k + 1) * (shape + noise * rng.normal(size=len(times))) for k, c in enumerate(columns)}, times)  # fmt: skip


@pytest.fixture(scope="module")
def fitted():
    torch.set_num_threads(1)
    return recycle.fit(None, table(columns=("a", "b")), country="DE", epochs=1)


def test_a_week_beyond_the_last_value_with_quantiles(fitted):
    found = fitted.forecast()
    frame = found.frame()
    assert [str(t) for t in (frame.index[0], frame.index[-1])] == [
        "2022-11-10 00:00:00+01:00",
        "2022-11-16 23:00:00+01:00",
    ]
    assert found.values.shape == (2, 168) and found.quantiles.shape == (2, 168, 9)
    assert (np.diff(found.quantiles, axis=2) >= 0).all() and len(frame.columns) == 20
    truth = table("2022-11-10", "2022-11-17", columns=("a", "b"), noise=0).to_numpy().T
    assert np.abs(found.values / truth - 1).max() < 0.1
    inside = (truth > found.quantiles[..., 0]) & (truth < found.quantiles[..., -1])
    assert inside.mean() > 0.9, "the truth without its noise lies inside of the fan"
    short = fitted.forecast(2)
    assert np.array_equal(short.values, found.values[:, :48]) and len(short.times) == 48


def test_it_is_chosen_by_its_error(fitted):
    assert fitted.scores[fitted.chosen] == min(fitted.scores.values())
    assert set(fitted.scores) == set(recycle.CANDIDATES)


def test_nothing_after_the_last_day_is_there_to_be_read(fitted):
    assert np.isnan(fitted.data.days[:, fitted.last + 1 :]).all()
    assert fitted.data.split.test[1] == fitted.last + 1


@pytest.mark.parametrize("chosen", recycle.CANDIDATES)
def test_saved_and_loaded_it_says_the_same_to_the_last_bit(chosen, tmp_path):
    own = recycle.fit(
        None,
        table(last="2022-06-01"),
        country="DE-BY",
        holidays=["2022-06-03"],
        candidates=[chosen],
        epochs=1,
    )
    own.save(tmp_path / "own.pt")
    again = recycle.load(tmp_path / "own.pt")
    one, two = own.forecast(), again.forecast()
    assert own.chosen == again.chosen == chosen and own.source == again.source and own.recipe == again.recipe
    for name in ("times", "values", "quantiles", "past"):
        assert np.array_equal(getattr(one, name), getattr(two, name)), name
    assert np.array_equal(own.data.types, again.data.types) and again.data.types[0, -5] == 2
    # On newer values: the same weights and scaling, another origin.
    later = again.on(None, table(last="2022-06-09")).forecast(1)
    assert str(later.frame().index[0]) == "2022-06-09 00:00:00+02:00"
    with pytest.raises(ValueError, match="fitted on load with 24"):
        again.on(None, table(last="2022-06-09", columns=("x",)))


def test_a_file_that_is_no_forecaster_is_refused(tmp_path):
    (tmp_path / "text").write_text("no")
    torch.save({"weights": 1}, tmp_path / "other")
    for name in ("text", "other"):
        with pytest.raises(ValueError, match="no saved forecaster"):
            recycle.load(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        recycle.load(tmp_path / "none")


@pytest.mark.parametrize(("first", "hours"), [("2022-03-24", 167), ("2022-10-27", 169), ("2022-06-01", 168)])
def test_a_week_in_which_the_clock_is_set_has_an_hour_less_or_more(first, hours):
    times, day, slot = _forecast.steps_of(np.datetime64(first), 7, 24, BERLIN)
    local = pd.DatetimeIndex(times, tz="UTC").tz_convert(BERLIN)
    assert len(times) == hours and (np.diff(times).astype(int) == 3600).all()
    assert np.array_equal(local.hour, slot) and str(local[0])[:10] == first
    assert np.array_equal((local.tz_localize(None).to_numpy().astype("datetime64[D]") - np.datetime64(first)).astype(int), day)  # fmt: skip


@pytest.mark.parametrize(
    ("zone", "cycle", "phase"), [("Asia/Kolkata", 24, 1800), (None, 96, 0), (BERLIN, 4, 0)]
)
def test_steps_of_other_zones_begin_with_the_day(zone, cycle, phase):
    times, day, slot = _forecast.steps_of(np.datetime64("2022-03-24"), 7, cycle, zone, phase)
    assert len(times) == 7 * cycle and np.array_equal(day * cycle + slot, np.arange(7 * cycle))
    local = times if zone is None else pd.DatetimeIndex(times, tz="UTC").tz_convert(zone).tz_localize(None).to_numpy()  # fmt: skip
    assert (local[0] - np.datetime64("2022-03-24")).astype("timedelta64[s]").astype(int) == phase


def csv(path, frame, **how):
    frame.to_csv(path, index_label="when", **how)
    return path


def test_the_command_forecasts_a_file_with_gaps_and_both_changes_of_the_clock(tmp_path, capsys):
    frame = table()
    frame.iloc[500:502] = np.nan  # a gap of two hours
    frame = frame.drop(frame.index[1200:1203])  # three hours that are not there: a refused day
    file = csv(tmp_path / "load.csv", frame)
    page = tmp_path / "page.html"
    status = main(["forecast", str(file), "--time", "when", "--zone", BERLIN, "--country", "DE", "--epochs", "1",
                   "--html", str(page), "--save", str(tmp_path / "kept.pt")])  # fmt: skip
    told = capsys.readouterr().out
    assert status == 0 and "changed clock 2, filled 2, refused 1, absent 3" in told and "<- chosen" in told
    found = pd.read_csv(tmp_path / "load-forecast.csv")
    assert len(found) == 168 and found["time"][0] == "2022-11-10 00:00:00+01:00"
    assert found["load"].between(30, 80).all() and "plotly" in page.read_text()
    assert np.allclose(recycle.load(tmp_path / "kept.pt").forecast().values[0], found["load"])


def test_a_file_by_the_wall_says_so_or_is_refused(tmp_path, capsys):
    frame = table(last="2022-06-10")
    wall = csv(tmp_path / "wall.csv", frame.set_axis(frame.index.tz_localize(None)), sep=";", decimal=",", date_format="%d.%m.%Y %H:%M")  # fmt: skip
    command = ["forecast", str(wall), "--time", "when", "--zone", BERLIN, "--epochs", "1", "--days", "3"]
    for more, told in [
        ([], "Say --format"), (["--format", "%d.%m.%Y %H:%M"], "say --decimal"),
        (["--decimal", ",", "--format", "%d.%m.%Y %H:%M"], "say clock='local'"),
        (["--decimal", ",", "--format", "%d/%m/%Y"], "no time"),
    ]:  # fmt: skip
        assert main(command + more) == 2 and told in capsys.readouterr().err
    assert main([*command, "--decimal", ",", "--format", "%d.%m.%Y %H:%M", "--clock", "local"]) == 0
    found = pd.read_csv(tmp_path / "wall-forecast.csv")
    assert len(found) == 72 and found["time"][0] == "2022-06-10 00:00:00+02:00"


@pytest.mark.parametrize(("change", "told"), [
    (["--time", "clock"], "no column 'clock'"), (["--value", "power"], "no column 'power'"),
    (["--zone", "Europe/Atlantis"], "unknown time zone"), (["--country", "XX"], "no calendar of 'XX'"),
    (["--holiday", "Easter"], "holidays are dates"), (["--days", "0"], "forecast is a number of days"),
    (["--days", "99"], "too few"), (["--time", "load"], "holds numbers"),
])  # fmt: skip
def test_what_the_command_cannot_do_it_says_in_one_line(change, told, tmp_path, capsys):
    file = csv(tmp_path / "load.csv", table(last="2022-06-01"))
    assert main(["forecast", str(file), "--time", "when", *change]) == 2
    error = capsys.readouterr().err
    assert told in error and error.count("\n") == 1 and not (tmp_path / "load-forecast.csv").exists()
    assert main(["forecast", str(tmp_path / "none.csv"), "--time", "when"]) == 2


def test_quarter_hours_and_their_change_to_hours():
    own = recycle.fit(None, table(last="2022-05-20", freq="15min"), epochs=1)
    found = own.forecast()
    assert own.data.cycle == 96 and found.values.shape == (1, 672)
    truth = table("2022-05-20", "2022-05-27", freq="15min", noise=0).to_numpy().T
    assert np.abs(found.values / truth - 1).max() < 0.1
    mixed = pd.concat([table(last="2022-04-20"), table("2022-04-20", "2022-05-20", freq="15min")])
    own = recycle.fit(None, mixed, epochs=1, candidates=["profile", "ridge"])
    assert own.data.cycle == 24 and own.repairs["load"] == "changed clock 1, averaged 2880"


def test_the_same_from_arrays_and_by_the_wall():
    frame = table(last="2022-05-20")
    options = dict(candidates=["profile"], country="DE")
    wanted = recycle.fit(None, frame, **options).forecast()
    utc = frame.index.tz_convert("UTC").tz_localize(None).to_numpy()
    others = [
        recycle.fit(utc, frame["load"].to_numpy(), BERLIN, **options),
        recycle.fit(frame.index.tz_localize(None), frame.to_numpy(), BERLIN, clock="local", **options),
        recycle.fit(list(frame.index), frame["load"].tolist(), **options),
        recycle.fit(utc[::-1], frame["load"].to_numpy()[::-1], BERLIN, **options),
    ]
    for own in others:
        found = own.forecast()
        assert np.array_equal(found.values, wanted.values) and np.array_equal(found.times, wanted.times)
    with pytest.raises(ValueError, match="say clock='local'"):
        recycle.fit(frame.index.tz_localize(None), frame.to_numpy(), BERLIN, **options)


def test_a_series_that_begins_later_and_own_history_and_horizon():
    frame = table(columns=("old", "young"), last="2022-09-01")
    frame.iloc[: 40 * 24, 1] = np.nan
    own = recycle.fit(None, frame, history=14, forecast=3, levels=3, epochs=1)
    found = own.forecast()
    assert found.values.shape == (2, 72) and found.levels.tolist() == [0.25, 0.5, 0.75]
    assert "ReCycle" in own.scores and np.isfinite(found.values).all()
    assert found.figure("young").data and len(found.figure().data) == 4 - 1
    with pytest.raises(ValueError, match="no series 'x'"):
        found.figure("x")


@pytest.mark.parametrize(("change", "told"), [
    (lambda f: f.iloc[: 24 * 40], "40 whole days are too few.*at least 69"),
    (lambda f: f.assign(load=np.nan), "'load' has no value"),
    (lambda f: f.assign(load=3.0), "nothing to scale by: load"),
    (lambda f: f.assign(load="x"), "values are numbers"),
    (lambda f: f.assign(load=f.load.where(f.index < f.index[-24 * 5])), "misses|no window"),
    (lambda f: f.set_axis(np.arange(len(f))), "times are datetimes"),
    (lambda f: f.iloc[::7], "does not divide the day"),
])  # fmt: skip
def test_what_cannot_be_forecast_is_refused(change, told):
    with pytest.raises(ValueError, match=told):
        recycle.fit(None, change(table(last="2022-05-20")), candidates=["profile"]).forecast()


@pytest.mark.parametrize(("freq", "cycle"), [("45min", 32), ("3h", 8), ("12h", 2)])
def test_other_steps_that_divide_the_day(freq, cycle):
    """With 32 steps the output is as wide as the network: there would be no layer to set to zero."""
    own = recycle.fit(None, table(last="2022-05-20", freq=freq).tz_convert("UTC"), BERLIN, epochs=1)
    found = own.forecast()
    assert own.data.cycle == cycle and found.values.shape == (1, 7 * cycle)
    assert str(found.frame().index[0])[:10] == "2022-05-20" and set(own.scores) == set(recycle.CANDIDATES)


def test_a_short_history_has_no_last_week():
    frame = table(last="2022-05-20")
    own = recycle.fit(None, frame, history=5, epochs=1)
    assert set(own.scores) == {"profile", "ridge", "ReCycle"} and np.isfinite(own.forecast().values).all()
    with pytest.raises(ValueError, match="does not reach back to last week"):
        recycle.fit(None, frame, history=5, candidates=["last week"])


def test_readings_at_the_half_hour_keep_their_times():
    frame = table(last="2022-05-20")
    frame.index = frame.index + pd.Timedelta(minutes=30)
    found = recycle.fit(None, frame, candidates=["profile"]).forecast(1).frame()
    assert [str(t) for t in found.index[[0, -1]]] == [
        "2022-05-20 00:30:00+02:00",
        "2022-05-20 23:30:00+02:00",
    ]


@pytest.mark.parametrize("wrong", [
    dict(candidates=["best"]), dict(candidates=[]), dict(candidates="ridge"), dict(levels=0), dict(levels=True), dict(epochs=0),
    dict(history=0), dict(forecast=2.5), dict(step="1h"), dict(holidays="DE"),
])  # fmt: skip
def test_wrong_arguments_are_refused(wrong):
    with pytest.raises(ValueError):
        recycle.fit(None, table(last="2022-05-20"), **wrong)


@pytest.mark.parametrize("days", [0, 8, True, 1.5, -1])
def test_other_days_than_fitted_are_refused(fitted, days):
    with pytest.raises(ValueError, match="fitted for 1 to 7 days"):
        fitted.forecast(days)


def test_torch_is_left_as_it_was():
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    one = recycle.fit(None, table(last="2022-05-20"), epochs=1, candidates=["ReCycle"], seed=1)
    assert torch.equal(before, torch.random.get_rng_state())
    two = recycle.fit(None, table(last="2022-05-20"), epochs=1, candidates=["ReCycle"], seed=1)
    assert one.scores == two.scores
