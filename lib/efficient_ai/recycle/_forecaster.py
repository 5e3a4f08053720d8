"""A fitted forecaster of one's own series: it forecasts the days after the last one, and it can be kept."""

import io
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

from efficient_ai._files import write_atomic
from efficient_ai.recycle import _candidates
from efficient_ai.recycle._baselines import Ridge
from efficient_ai.recycle._clock import DAY
from efficient_ai.recycle._forecast import Forecast, steps_of
from efficient_ai.recycle._scores import quantile_levels
from efficient_ai.recycle._series import Source, folded, side_by_side, with_future
from efficient_ai.recycle._windows import Panel, Recipe, Split, ahead

FORMAT = "efficient_ai.recycle.Forecaster 1"


@dataclass(frozen=True)
class Forecaster:
    """A fitted forecaster; :func:`fit` makes one, :func:`load` reads one.

    Args:
        data: folded, scaled, with a calendar that reaches beyond the last day.
        last: index of the last day of the data.
        recipe: history, horizon, profile: the one place where they stand.
        source: zone and holidays.
        chosen: the candidate with the smallest error.
        scores: mean absolute error of each candidate on the days that chose, normalised, mean over series. That of the
            chosen one is a little flattering: it was chosen by it.
        model: of the chosen candidate, a ridge or a network; None if it needs none.
        phase: seconds from midnight to the first step of a day.
        spread: quantiles of what the chosen one missed on those days, normalised, shape ``(series, F, cycle, levels)``.
        repairs: what was put right, by series.
    """

    data: Panel
    last: int
    recipe: Recipe
    source: Source
    chosen: str
    scores: Mapping[str, float]
    model: Ridge | torch.nn.Module | None
    spread: np.ndarray
    phase: int
    repairs: Mapping[str, str]

    def forecast(self, days: int | None = None) -> Forecast:
        """The ``days`` after the last whole day, at most the horizon of the fit, which is also what None gives.

        Raises:
            ValueError: more days than were fitted, or too much of the recent past missing.
        """
        days = self.recipe.forecast if days is None else days
        if isinstance(days, bool) or days != int(days) or not 1 <= days <= self.recipe.forecast:
            raise ValueError(
                f"fitted for 1 to {self.recipe.forecast} days, asked for {days!r}: fit(..., forecast={days!r}) forecasts more"
            )
        data, last = self.data, self.last
        cut = ahead(data, _candidates.of_candidate(self.chosen, self.recipe), last)
        middle = _candidates.forecast(self.chosen, self.model, cut).numpy().astype(float)
        fan = middle[..., None] + self.spread
        everyone = np.arange(len(data.names))
        middle, fan = data.denormalise(middle, everyone), data.denormalise(fan, everyone)
        times, day, slot = steps_of(data.dates[last + 1], days, data.cycle, self.source.zone, self.phase)
        before = data.denormalise(data.days[:, last - 13 : last + 1], everyone)
        shown = data.dates[last - 13 : last + 1].astype("datetime64[s]")[:, None] + (
            self.phase + np.arange(data.cycle) * (DAY // data.cycle)
        ).astype("timedelta64[s]")
        return Forecast(
            times, middle[:, day, slot], fan[:, day, slot], quantile_levels(fan.shape[-1]).double().numpy().round(6),
            data.names, self.source.zone, self.chosen, shown.ravel(), before.reshape(len(everyone), -1),
        )  # fmt: skip

    def on(self, times, values) -> "Forecaster":
        """The same method, scaling and calendar on newer values of the same series, for the forecast after them.

        Raises:
            ValueError: other series or another step than those of the fit.
        """
        names, found = folded(times, values, self.source)
        dates, days = side_by_side(names, found)
        if names != self.data.names or days.shape[2] != self.data.cycle:
            raise ValueError(
                f"fitted on {', '.join(self.data.names)} with {self.data.cycle} steps a day; got {', '.join(names)} with "
                f"{days.shape[2]}"
            )
        data = with_future(names, dates, days, self.source, self.recipe, like=self.data)
        reports = {name: one.report() for name, one in zip(names, found, strict=True)}
        return replace(self, data=data, last=len(dates) - 1, phase=found[0].phase, repairs=reports)

    def save(self, path: Path | str) -> None:
        """Everything in one file: series, scaling, calendar, recipe, weights. :func:`load` reads it."""
        data, model = self.data, self.model
        plain = {
            "format": FORMAT, "names": list(data.names), "first": str(data.dates[0]), "last": self.last,
            "days": torch.from_numpy(data.days[:, : self.last + 1].copy()), "low": torch.from_numpy(data.low.copy()),
            "high": torch.from_numpy(data.high.copy()), "split": [list(p) for p in asdict(data.split).values()],
            "recipe": asdict(self.recipe), "source": asdict(self.source), "chosen": self.chosen,
            "scores": dict(self.scores), "spread": torch.from_numpy(self.spread), "repairs": dict(self.repairs), "phase": self.phase,
        }  # fmt: skip
        if isinstance(model, Ridge):
            plain["ridge"] = {
                "weights": torch.from_numpy(model.weights),
                "days": model.days,
                "penalty": float(model.penalty),
            }
        elif model is not None:
            plain["network"] = model.state_dict()
        file = io.BytesIO()
        torch.save(plain, file)
        write_atomic(Path(path), file.getvalue())


def load(path: Path | str) -> Forecaster:
    """Read what :meth:`Forecaster.save` wrote.

    Raises:
        ValueError: the file is something else.
        OSError: there is none.
    """
    content = io.BytesIO(Path(path).read_bytes())
    try:
        plain = torch.load(content, weights_only=True)
    except Exception as error:
        raise ValueError(f"{path} is no saved forecaster") from error
    if not isinstance(plain, dict) or plain.get("format") != FORMAT:
        raise ValueError(f"{path} is no saved forecaster of this version ({FORMAT})")
    recipe, source = Recipe(**plain["recipe"]), Source(**plain["source"])
    days, split = plain["days"].numpy(), Split(*(tuple(part) for part in plain["split"]))
    names, low, high = tuple(plain["names"]), plain["low"].numpy(), plain["high"].numpy()
    dates = np.datetime64(plain["first"], "D") + np.arange(days.shape[1])
    scaling = Panel(names, days, None, None, dates, low, high, split)
    raw = scaling.denormalise(days, np.arange(len(names)))
    data = with_future(names, dates, raw, source, recipe, like=scaling)
    data.days[:, : days.shape[1]] = days  # to the last bit
    model = None
    if "ridge" in plain:
        saved = plain["ridge"]
        model = Ridge(saved["weights"].numpy(), saved["days"], False, True, saved["penalty"])
    elif "network" in plain:
        model = _candidates.network(data.cycle, recipe, 0)
        model.load_state_dict(plain["network"])
    return Forecaster(
        data, plain["last"], recipe, source, plain["chosen"], plain["scores"], model, plain["spread"].numpy(),
        plain["phase"], plain["repairs"],
    )  # fmt: skip
