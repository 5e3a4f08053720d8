"""One trace, sampled: what each rule makes of it; and the power of a cell that runs."""

from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go

from efficient_ai.energy import sampling
from efficient_ai.metering import Trace, measure, quantity
from efficient_ai.plotting import INK, OKABE_ITO, figure, live, rgba

STEPS = [0.5, 1.0, 2.0, 4.0, 8.0]
PHASES = [0.0, 0.25, 0.5, 0.75]
COLOUR = {
    "counter": OKABE_ITO["blue"],
    "trapezoid": OKABE_ITO["orange"],
    "left rule": OKABE_ITO["purple"],
    "counter as power, first doubled": OKABE_ITO["vermilion"],
}
_DAY = sampling.training_day()


def steps_of(trace: Trace) -> tuple[list[float], list[float]]:
    """Edges and watts for a line with the shape ``hv``."""
    return list(trace.edges), [*trace.watts, trace.watts[-1]]


def power_trace(step: float, phase: float) -> tuple[go.Figure, str]:
    """The invented minute, the moments at which it is read, and the energy that each rule finds.

    Args:
        step: seconds between two readings.
        phase: first reading after the start, as a share of the step.
    """
    times = sampling.stamps(_DAY, step, phase * step)
    watts = [_DAY.power(float(t)) for t in times[:-1]] + [_DAY.watts[-1]]
    x, y = steps_of(_DAY)
    fig = figure(x="time (s)", y="power (W)")
    fig.add_scatter(x=x, y=y, mode="lines", line=dict(color=INK, shape="hv", width=1), name="true power",
                    fill="tozeroy", fillcolor=rgba(INK, 0.15))  # fmt: skip
    fig.add_scatter(x=times.round(3).tolist(), y=watts, mode="lines+markers", name="sampled power",
                    line=dict(color=COLOUR["trapezoid"], width=2), marker=dict(size=7))  # fmt: skip
    fig.update_yaxes(range=[0, 260])
    true = _DAY.energy(times[0], times[-1])
    parts = [
        f"{rule} {quantity(true * (1 + error), 'J')} ({100 * error:+.1f} %)"
        for rule in sampling.RULES
        for error in [sampling.relative_error(_DAY, times, rule)]
    ]
    return fig, f"True energy {quantity(true, 'J')}; " + "; ".join(parts) + "."


def trace_table() -> dict[str, list]:
    """Error of every rule by step; the largest over many phases."""
    rows: dict[str, list] = {"step (s)": STEPS}
    for rule in sampling.RULES:
        rows[f"{rule}: largest error (%)"] = [
            max(
                abs(100 * sampling.relative_error(_DAY, sampling.stamps(_DAY, step, p * step), rule))
                for p in np.arange(0, 1, 0.05)
            )
            for step in STEPS
        ]
    return rows


UPDATE = 0.4


def error_figure(
    period: float = 1.0,
    steps: tuple[float, ...] = (
        0.1,
        0.2,
        0.3,
        0.5,
        0.7,
        0.9,
        1.0,
        1.1,
        1.3,
        1.5,
        1.8,
        2.0,
        2.2,
        2.6,
        3.0,
        3.4,
        4.0,
        5.0,
    ),
) -> go.Figure:
    """Error over step on a load that switches every half ``period``: counter, trapezoid over phases, random moments."""
    errors = {step: 100 * sampling.aliasing(period, step, phases=60) for step in steps}
    fig = figure(x="step of the sampling (s)", y="relative error (%)")
    fig.add_scatter(
        x=list(steps), y=[0.0] * len(steps), mode="markers", name="trapezoid, all phases", marker=dict(size=1, color=COLOUR["trapezoid"]),
        error_y=dict(type="data", array=[e.max() for e in errors.values()], arrayminus=[-e.min() for e in errors.values()],
                     thickness=5, width=0, color=COLOUR["trapezoid"]),
    )  # fmt: skip
    jitter = [[100 * sampling.with_jitter(period, step, seed) for seed in range(40)] for step in steps]
    fig.add_scatter(x=list(steps), y=[np.mean(e) for e in jitter], name="random moments, mean of 40 runs",
                    mode="lines+markers", line=dict(color=OKABE_ITO["green"]))  # fmt: skip
    counted = {step: counter_errors(period, step) for step in steps}
    fig.add_scatter(
        x=list(steps), y=[float(e.mean()) for e in counted.values()], name=f"counter, renewed every {UPDATE:g} s", mode="lines",
        line=dict(color=COLOUR["counter"], width=3),
        error_y=dict(type="data", array=[e.max() - e.mean() for e in counted.values()],
                     arrayminus=[e.mean() - e.min() for e in counted.values()], width=3, color=COLOUR["counter"]),
    )  # fmt: skip
    fig.update_xaxes(type="log")
    return fig


def counter_errors(period: float, step: float, seconds: float = 60.0, phases: int = 12) -> np.ndarray:
    """Errors in per cent of a counter renewed every :data:`UPDATE` seconds, over phases of load, updates and readings."""
    errors = []
    for k in range(phases):
        wave = sampling.square(period, seconds, shift=(k + 0.5) / phases)
        times = sampling.stamps(wave, step, step * ((k * 5 + 2) % phases) / phases)
        window = sampling.counted(wave, times, UPDATE, UPDATE * ((k * 7 + 3) % phases) / phases)
        errors.append(100 * (window.joules / wave.energy(0, seconds) - 1))
    return np.asarray(errors)


def error_table(
    period: float = 1.0, steps: tuple[float, ...] = (0.1, 0.25, 0.5, 0.9, 1.0, 1.1, 2.0, 5.0)
) -> dict[str, list]:
    """Numbers of :func:`error_figure`."""
    errors = [100 * sampling.aliasing(period, step, phases=60) for step in steps]
    return {
        "step (s)": list(steps),
        "trapezoid, lowest (%)": [e.min() for e in errors],
        "trapezoid, highest (%)": [e.max() for e in errors],
        "standard deviation over phases (%)": [e.std() for e in errors],
        "counter, farthest (%)": [float(abs(counter_errors(period, step)).max()) for step in steps],
    }


def recorded(meter: measure) -> go.Figure:
    """Power of a measurement so far, as steps, with the label of its source in the title."""
    times, watts = meter.power()
    fig = figure(x="time (s)", y="power (W)", height=300, title=dict(text=meter.used.label, font_size=14))
    fig.add_scatter(x=[round(t, 3) for t in times], y=[round(w, 3) for w in watts], mode="lines",
                    line=dict(color=OKABE_ITO["blue"], shape="hvh"), fill="tozeroy", fillcolor=rgba(OKABE_ITO["blue"], 0.15))  # fmt: skip
    fig.update_yaxes(rangemode="tozero")
    return fig


def watch(meter: measure, every: float = 0.5) -> Callable[..., None]:
    """A callback for ``training.fit(after_epoch=...)`` that draws the power so far in JupyterLab, at most twice a second."""
    redraw, last = live(recorded(meter)), [0.0]

    def after(*_: object) -> None:
        now = meter.clock()
        if now - last[0] >= every:
            last[0] = now
            redraw(recorded(meter))

    return after
