"""The node model as pictures: which node, which batch size, how many grams."""

import numpy as np
import plotly.graph_objects as go

from efficient_ai.energy import nodes
from efficient_ai.metering import Intensity, Measurement, quantity
from efficient_ai.plotting import OKABE_ITO, figure

SPEED_UPS = [1, 2, 3, 5, 10, 20]
IDLE_WATTS = [0, 30, 55, 80]
JOB_WATTS = [300, 450, 600]
_HOURS, _GPUS = 10.0, 4
_BUSY_GPU, _HOST_BESIDE = 350.0, 250.0  # one busy GPU, and the host while it only feeds the GPU


def which_node(speed_up: float, idle_watts: float, job_watts: float) -> tuple[go.Figure, str]:
    """Energy of a job of ten hours on three nodes of the model: no GPU, four idle ones, one of four at work.

    Args:
        speed_up: of one GPU over the processors.
        idle_watts: of one idle GPU.
        job_watts: of the node without GPUs while the job runs.
    """
    gpu_watts = _HOST_BESIDE + _BUSY_GPU + (_GPUS - 1) * idle_watts
    energies = {
        "no GPU in the node": job_watts * _HOURS,
        f"{_GPUS} idle GPUs": (job_watts + _GPUS * idle_watts) * _HOURS,
        f"1 of {_GPUS} GPUs": gpu_watts * _HOURS / speed_up,
    }
    colours = [OKABE_ITO["blue"], OKABE_ITO["sky"], OKABE_ITO["vermilion"]]
    fig = figure(x="energy (kWh)", height=280)
    fig.add_bar(y=list(energies), x=[e / 1000 for e in energies.values()], orientation="h", marker_color=colours,
                text=[f"{e / 1000:.2f}" for e in energies.values()], textposition="outside", cliponaxis=False)  # fmt: skip
    fig.update_xaxes(range=[0, 10.5])
    fig.update_yaxes(autorange="reversed")
    needed = nodes.break_even(gpu_watts, job_watts)
    factor = nodes.idle_overhead(job_watts, _GPUS, idle_watts)
    return fig, (
        f"Idle GPUs make the processor job {factor:.2f} times as expensive. One GPU draws {gpu_watts:.0f} W with its node, so it needs "
        f"less energy than a node without GPUs from a speed-up of {needed:.1f} on; here it is {speed_up:g}. (Node model, powers assumed.)"
    )


def node_table() -> dict[str, list]:
    """Idle overhead and break-even speed-up for the settings of the figure."""
    pairs = [(job, idle) for job in JOB_WATTS for idle in IDLE_WATTS]
    return {
        "processor job (W)": [job for job, _ in pairs],
        "idle GPU (W)": [idle for _, idle in pairs],
        "overhead of 4 idle GPUs": [nodes.idle_overhead(job, _GPUS, idle) for job, idle in pairs],
        "break-even speed-up": [
            nodes.break_even(_HOST_BESIDE + _BUSY_GPU + 3 * idle, job) for job, idle in pairs
        ],
    }


LAUNCHES = [1, 3, 10, 20]
RATIOS = [5, 10, 30]


def crossing(launch_ms: float, ratio: float) -> tuple[go.Figure, str]:
    """Joules per inference over batch size on the node model: processors of a standard node, one GPU of an accelerated one.

    Args:
        launch_ms: milliseconds that the GPU needs before the first sample is through.
        ratio: throughput of the GPU over that of the processors in large batches.
    """
    cpu = nodes.Inference(nodes.STANDARD.power(cpu=0.6), 5e-4, 1500)
    gpu = nodes.Inference(
        nodes.ACCELERATED.power(cpu=0.05, busy_gpus=1, gpu=0.6), launch_ms / 1e3, 1500 * ratio
    )
    batches = [2**k for k in range(13)]
    fig = figure(x="batch size", y="energy per inference (J)")
    for name, device, colour in (
        ("processors", cpu, OKABE_ITO["blue"]),
        ("GPU", gpu, OKABE_ITO["vermilion"]),
    ):
        fig.add_scatter(x=batches, y=[round(device.joules_per_sample(b), 5) for b in batches], name=name, mode="lines+markers",
                        line=dict(color=colour, width=3, dash="dash"))  # fmt: skip
    fig.update_xaxes(type="log", dtick=1)
    fig.update_yaxes(type="log", dtick=1, range=[-2, 1.5])
    first = nodes.crossing(cpu, gpu)
    where = f"from batch {first} on" if first else "at no batch size shown"
    return (
        fig,
        f"The GPU needs less energy per inference {where}. (Node model: powers and speeds are assumed.)",
    )


def crossing_table() -> dict[str, list]:
    """The first batch size at which the GPU wins, by launch time and throughput ratio."""
    cpu = nodes.Inference(nodes.STANDARD.power(cpu=0.6), 5e-4, 1500)
    watts = nodes.ACCELERATED.power(cpu=0.05, busy_gpus=1, gpu=0.6)
    pairs = [(launch, ratio) for launch in LAUNCHES for ratio in RATIOS]
    return {
        "launch (ms)": [launch for launch, _ in pairs],
        "throughput ratio": [ratio for _, ratio in pairs],
        "GPU wins from batch": [
            nodes.crossing(cpu, nodes.Inference(watts, launch / 1e3, 1500 * ratio)) or "never"
            for launch, ratio in pairs
        ],
    }


PUES = [1.0, 1.2, 1.6, 2.0]
INTENSITIES = [30, 100, 274.8, 475, 800]
RUNS = [1, 10, 100, 1000]


def grams(measured: Measurement, pue: float, per_kwh: float, runs: int) -> tuple[go.Figure, str]:
    """Grams of CO2 of a training, with what its uncertainty makes of them.

    Args:
        measured: one training.
        pue: facility power over computer power.
        per_kwh: grams per kilowatt-hour.
        runs: how often it is trained.
    """
    place = Intensity(per_kwh, "chosen above", "chosen above", "the slider", pue)
    low, middle, high = (runs * place.grams(j) for j in (measured.low, measured.joules, measured.high))
    fig = figure(x="CO2 equivalents (g)", height=220)
    # A bar on a logarithmic axis would begin nowhere: a point and its interval.
    fig.add_scatter(y=["training"], x=[middle], mode="markers", marker=dict(color=OKABE_ITO["green"], size=14), showlegend=False,
                    error_x=dict(type="data", array=[high - middle], arrayminus=[middle - low], thickness=3))  # fmt: skip
    top = measured.high / 3.6e6 * max(PUES) * max(INTENSITIES) * max(RUNS)
    fig.update_xaxes(type="log", range=[np.log10(top) - 7, np.log10(top) + 0.2])
    return fig, (
        f"{runs} run{'s' if runs > 1 else ''} of {quantity(measured.joules, 'J')} at a PUE of {pue:g} and {per_kwh:g} g/kWh: "
        f"{quantity(middle, 'g')}, by the uncertainty of the energy alone {quantity(low, 'g')} to {quantity(high, 'g')} ({measured.source})."
    )


def grams_table(measured: Measurement) -> dict[str, list]:
    """One run at PUE 1 for each intensity of the slider."""
    places = [Intensity(value, "x", "x", "x") for value in INTENSITIES]
    return {
        "g/kWh": INTENSITIES,
        "mg CO2e": [1e3 * place.grams(measured.joules) for place in places],
        "lowest (mg)": [1e3 * place.grams(measured.low) for place in places],
        "highest (mg)": [1e3 * place.grams(measured.high) for place in places],
    }
