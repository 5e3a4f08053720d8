"""The chapter's own code: node model, sampling, workloads, figures and the record of the benchmark, against known answers."""

import json

import numpy as np
import pytest
import torch

from efficient_ai import metering, plotting
from efficient_ai.energy import (
    board,
    claims,
    figures,
    forecast,
    kernels,
    nodes,
    overhead,
    peers,
    sampling,
    vgg,
    workload,
)
from efficient_ai.energy.profiles import PROFILES
from efficient_ai.ledger import LargerHardware, Ledger


def test_the_power_of_a_node_is_the_sum_of_its_parts():
    node = nodes.Node("x", base=100, cpu_idle=50, cpu_max=450, gpus=4, gpu_idle=50, gpu_max=400)
    assert node.power() == 100 + 50 + 200
    assert node.power(cpu=0.5) == 100 + 250 + 200
    assert node.power(cpu=1, busy_gpus=2, gpu=0.5) == 100 + 450 + 200 + 2 * 175
    for wrong in ({"cpu": 1.1}, {"busy_gpus": 5}, {"gpu": -0.1}):
        with pytest.raises(ValueError):
            node.power(**wrong)


def test_numbers_of_the_sheet():
    """A processor job of 450 W for ten hours beside four GPUs of 52 W: 4.50 kWh become 6.58; 4 x 55 W on 500 W: 1.44."""
    assert 4.5 * nodes.idle_overhead(450, 4, 52) == pytest.approx(6.58)
    assert nodes.idle_overhead(500, 4, 55) == pytest.approx(1.44)
    assert nodes.break_even(900, 450) == 2


def test_the_gpu_wins_above_the_crossing_and_only_there():
    cpu, gpu = nodes.Inference(400, 0.0, 1000), nodes.Inference(800, 0.01, 20_000)
    first = nodes.crossing(cpu, gpu)
    assert gpu.joules_per_sample(first) < cpu.joules_per_sample(first)
    assert gpu.joules_per_sample(first // 2) >= cpu.joules_per_sample(first // 2)
    assert nodes.crossing(cpu, nodes.Inference(8000, 0.01, 5000)) is None
    assert cpu.joules_per_sample(1) == pytest.approx(cpu.joules_per_sample(1000))


@pytest.mark.parametrize("seed", range(20))
def test_drawn_nodes_stay_in_their_ranges_and_repeat(seed):
    slow, fast = nodes.drawn(seed)
    assert nodes.drawn(seed) == (slow, fast) and (slow.gpus, fast.gpus) == (0, 4)
    assert 50 <= fast.gpu_idle <= 60 and 300 <= fast.gpu_max <= 400 and 70 <= slow.cpu_idle <= 140


def test_the_square_wave_aliases_by_two_thirds_and_not_at_half_the_period():
    errors = sampling.aliasing(1.0, 1.0)
    assert errors.max() == pytest.approx(2 / 3) and errors.min() == pytest.approx(-2 / 3)
    assert abs(errors.mean()) < 0.01 and errors.std() == pytest.approx(2 / 3, abs=0.01)
    assert abs(sampling.aliasing(1.0, 0.5)).max() < 1e-9


def test_the_square_wave_is_one():
    wave = sampling.square(period=2.0, seconds=10.0)
    assert wave.energy(0, 10) == pytest.approx(1500) and [wave.power(t) for t in (0.5, 1.5, 2.5)] == [
        250,
        50,
        250,
    ]
    shifted = sampling.square(period=2.0, seconds=10.0, shift=0.25)
    assert shifted.energy(0, 10) == pytest.approx(1500) and shifted.power(0.75) == 50


def test_random_moments_have_no_bias():
    errors = [sampling.with_jitter(1.0, 1.0, seed) for seed in range(200)]
    assert abs(np.mean(errors)) < 0.02 < np.std(errors)


def test_the_doubled_first_power_errs_by_its_formula():
    """0, 10, 110 J at 0, 1, 2 s: 65 J, off by -(1/2)(100 - 10)."""
    assert sampling.doubled_first([0, 1, 2], [0, 10, 110]) == 65
    trace = sampling.ramp(10.0)
    times = sampling.stamps(trace, 1.0)
    joules = [trace.counter(t) for t in times]
    error = sampling.integrate(trace, times, "counter as power, first doubled") - trace.energy(0, 10)
    assert error == pytest.approx(-0.5 * ((joules[-1] - joules[-2]) - (joules[1] - joules[0])))
    with pytest.raises(ValueError, match="no rule"):
        sampling.integrate(trace, times, "guess")


@pytest.mark.parametrize("rule", sampling.RULES)
def test_every_rule_is_right_for_constant_power(rule):
    trace = metering.Trace("flat", [0, 10], [70.0])
    assert sampling.relative_error(trace, sampling.stamps(trace, 0.7, 0.3), rule) == pytest.approx(
        0, abs=1e-12
    )


def test_stamps_cover_the_trace():
    times = sampling.stamps(metering.Trace("x", [0, 10], [1.0]), 3.0, 1.0)
    assert times.tolist() == [0, 1, 4, 7, 10]


def test_the_networks_have_the_parameters_of_the_authors():
    assert vgg.parameters(forecast.Forecaster()) == 9_841
    assert vgg.parameters(vgg.Vgg(vgg.VGG19, classes=2)) == 20_035_266
    assert vgg.Vgg()(torch.zeros(3, 28, 28)).shape == (3, 10)


def test_the_big_network_fits_the_images_of_the_authors():
    with torch.no_grad():
        features = vgg.Vgg(vgg.VGG19, classes=2).eval().features(torch.zeros(1, 1, 224, 224))
    assert features.shape == (1, 512, 1, 1)


def test_the_forecaster_reads_its_input_and_starts_as_it_is_told():
    torch.manual_seed(0)
    net = forecast.Forecaster()
    x = torch.rand(2, 168)
    assert net(x).shape == (2, 168) and torch.equal(net(x), net(x))
    later = x.clone()
    later[:, 100:] += 1
    changed = (net(x) != net(later)).any(dim=0)
    assert not changed[:100].any() and changed[100:].all(), "an hour is not told by those after it"
    noisy = forecast.Forecaster(rng=torch.Generator().manual_seed(1))
    assert not torch.equal(noisy(x), noisy(x))


def test_gaps_zeros_and_peaks_take_the_same_hour_of_the_days_before():
    values = np.tile(np.arange(24) + 10.0, 6)
    broken = values.copy()
    broken[100], broken[110], broken[120] = np.nan, 0.0, 1e5
    assert forecast.fill_gaps(broken) == pytest.approx(values)
    broken[0] = np.nan
    assert np.isfinite(forecast.fill_gaps(broken)).all()


def test_weeks_follow_each_other_and_splits_do_not_share_an_hour():
    weeks = forecast.weeks(40, 10, 10)
    assert [len(part[0]) for part in (weeks.train, weeks.valid, weeks.test)] == [40, 10, 10]
    assert all(
        part.dtype == torch.float32 and torch.isfinite(part).all()
        for pair in (weeks.train, weeks.test)
        for part in pair
    )
    assert weeks.train[0].min() >= 0 and weeks.train[0].max() <= 1
    assert torch.equal(forecast.weeks(40, 10, 10).train[0], weeks.train[0])
    x, _ = weeks.train
    assert forecast.same_as_last_week(x) is x


def test_a_step_is_repeated_until_the_window_is_long():
    net, x, y = torch.nn.Linear(3, 1), torch.ones(8, 3), torch.ones(8, 1)
    for mode in workload.MODES:
        before = net.weight.detach().clone()
        step = workload.step_of(net, x, y, torch.nn.functional.mse_loss, mode)
        cost = workload.cost(mode, step, 8, 0.05, idle_watts=1.0)
        assert cost.samples % 8 == 0 and cost.samples > 8 and cost.measurement.seconds >= 0.05
        assert (
            cost.joules * cost.samples == pytest.approx(cost.measurement.joules)
            and cost.net_joules < cost.joules
        )
        assert (mode == "training") == (not torch.equal(before, net.weight.detach()))
    with pytest.raises(ValueError, match="mode"):
        workload.step_of(net, x, y, torch.nn.functional.mse_loss, "guess")


def test_one_thread_is_one_thread():
    """Trap: thread pools at their default. Processor time per second of wall time cannot exceed one."""
    before = torch.get_num_threads()
    measured = kernels.run(kernels.NAMES[2], 0.3)
    assert measured.cpu_seconds <= 1.25 * measured.seconds
    assert kernels.run("sleep", 0.1).cpu_seconds < 0.1 and torch.get_num_threads() == before
    with pytest.raises(ValueError, match="no kernel"):
        kernels.kernel("guess")


def test_measuring_is_measured(tmp_path):
    from efficient_ai.metering.faketree import PowercapTree

    source = metering.rapl(PowercapTree(tmp_path).root).source
    assert 0 <= overhead.share(source, None, 0.05) and 0 <= overhead.share(source, 50, 0.1)
    assert len(overhead.paired(source, 10, lambda: sum(range(200_000)), 2)) == 2


def test_missed_wraps_are_told():
    _, said = figures.wrap(250, 20)
    assert "6 wraps were missed" in said
    assert (
        "every wrap was seen" in figures.wrap(250, 5)[1] and "every wrap was seen" in figures.wrap(60, 35)[1]
    )


def test_the_domains_add_up():
    assert "55 W: right, for processor and memory" in figures.domains("package + dram")[1]
    assert (
        "too much by 34 W: core and uncore counted twice"
        in figures.domains("package + core + uncore + dram")[1]
    )
    assert "memory is missing" in figures.domains("package")[1]
    assert figures.domain_table()["watts"] == [55, 50, 89, 179, 90]


def test_the_trace_figure_says_what_the_rules_say():
    _, said = figures.power_trace(2.0, 0.25)
    assert "counter 9.91 kJ (+0.0 %)" in said and "trapezoid" in said


def test_which_node_says_overhead_and_break_even():
    _, said = figures.which_node(5, 55, 450)
    assert "1.49 times" in said and "from a speed-up of 1.7" in said and "assumed" in said


def test_grams_follow_the_sliders():
    m = metering.Measurement("x", 3.6e6, 1.8e6, 7.2e6, 10, "estimated:cpu-time")
    _, said = figures.grams(m, 2.0, 100, 10)
    assert "2 kg, by the uncertainty of the energy alone 1 kg to 4 kg (estimated:cpu-time)" in said


def test_every_setting_of_every_figure_can_be_drawn_and_fits_a_page(monkeypatch):
    from efficient_ai.plotting import _figures

    monkeypatch.setenv("EFFICIENT_AI_STATIC", "1")
    monkeypatch.setattr(_figures, "display", lambda *a, **k: None)
    m = metering.Measurement("x", 100.0, 30.0, 300.0, 10, "estimated:cpu-time")
    control = plotting.Control
    for controls, draw in (
        ([control(figures.SPEED_UPS, "a"), control(figures.IDLE_WATTS, "b"), control(figures.JOB_WATTS, "c")],
         lambda a, b, c: figures.which_node(a, b, c)),
        ([control(figures.WATTS, "a"), control(figures.MINUTES, "b")], lambda a, b: figures.wrap(a, b)),
        ([control(list(figures.CHOICES), "a"), control([0, 1], "b")], lambda a, b: figures.domains(a)),
        ([control(figures.STEPS, "a"), control(figures.PHASES, "b")], lambda a, b: figures.power_trace(a, b)),
        ([control(figures.LAUNCHES, "a"), control(figures.RATIOS, "b")], lambda a, b: figures.crossing(a, b)),
        ([control(figures.PUES, "a"), control(figures.INTENSITIES, "b"), control(figures.RUNS, "c")],
         lambda a, b, c: figures.grams(m, a, b, c)),
    ):  # fmt: skip
        plotting.explore(dict(zip("abc", controls, strict=False)), draw, alt="five words are enough here")


def report(tmp_path):
    row = {
        "true": 100.0, "true_packages": 80.0, "ours": 100.0, "perun": 90.0, "codecarbon": {"cpu": 80.0, "ram": 5.0, "total": 85.0},
        "perun_sensors": [{"joules": 90.0, "counter": 100.0, "times": [0, 1, 2], "readings": [0, 40, 100]}],
    }  # fmt: skip
    rows = [
        {"part": "tree", "pattern": "ramp", "record": row, "load": [1, 2]},
        {
            "part": "tree",
            "pattern": "ramp",
            "wrap": True,
            "record": row | {"ours": 101.0},
            "load": [1, 1],
        },
    ]
    path = tmp_path / "energy.json"
    path.write_text(json.dumps({"machine": "m", "date": "2026-11-25 10:00", "versions": {}, "rows": rows}))
    return peers.Record.load(path)


def test_errors_are_against_what_each_tool_claims_to_read(tmp_path):
    record = report(tmp_path)
    assert record.errors("ours", "ramp") == [0.0] and record.errors("ours", "ramp", True) == pytest.approx(
        [0.01]
    )
    assert record.errors("perun", "ramp") == pytest.approx([-0.1])
    assert record.errors("codecarbon", "ramp") == pytest.approx([-0.15])
    assert record.errors("codecarbon packages", "ramp") == [0.0]
    assert record.bias("ramp") == [(pytest.approx(-0.1), pytest.approx(-0.1))] and record.loads == (1, 2)
    with pytest.raises(FileNotFoundError, match=r"benchmarks/energy\.py"):
        peers.Record.load(tmp_path / "none.json")


def test_without_sensors_three_claims_need_other_hardware_and_with_them_none():
    def state(*names):
        made = [metering.Status(n, "ok", "", metering.Source(f"measured:{n}", [], n)) for n in names]
        return {c.id: isinstance(c.rules["laptop"], LargerHardware) for c in claims.claims(made)}

    assert [id for id, larger in state().items() if larger] == ["K1", "K2", "K3"]
    assert not any(state("rapl", "nvml").values())
    assert [id for id, larger in state("rapl").items() if larger] == ["K2", "K3"]
    fake = metering.Status("rapl", "ok", "", metering.Source("replayed:fake", [], "x"))
    assert not claims.readable([fake], "rapl"), "a fake tree is no sensor"


def test_the_claims_make_a_ledger_in_every_profile():
    for profile in PROFILES:
        book = Ledger("energy", claims.claims(metering.survey()), profile)
        assert all(entry.verdict == "needs larger hardware" for entry in book.entries)


def a_board():
    costs = [
        {"repeat": r, "device": d, "network": "net", "mode": m, "batch": b, "samples": 10, "board joules": 10.0 * b,
         "seconds": 0.1, "processor seconds": 0.2, "label": "measured:nvml"}
        for r in (0, 1) for d in ("cuda", "cpu") for m in ("inference", "training") for b in (1, 8)
    ]  # fmt: skip
    kernels_run = [
        {"repeat": r, "kernel": k, "watts": w + r}
        for r in (1, 0)
        for k, w in (("busy", 500), ("waiting", 100))
    ]
    times = [0.0, 1.0, 2.0, 3.0]
    trace = {
        "phases": [["idle", 0.0, 1.0], ["busy", 1.0, 3.0]],
        "counter": {"times": times, "values": [0.0, 100.0, 400.0, 700.0]},
        "power": {"times": times, "values": [100.0, 100.0, None, 300.0]},
    }
    about = {"machine": "a node", "date": "2026-01-02T03:04", "label": "measured:nvml"}
    return board.Board(about | {"costs": costs, "kernels": kernels_run, "trace": trace})


def test_the_record_of_a_board_is_read_as_it_was_written():
    record = a_board()
    assert record.where == "a node, 2026-01-02" and record.batches == [1, 8] and record.networks == ["net"]
    assert record.kernels == {"waiting": [100, 101], "busy": [500, 501]}
    assert record.joules("net", "training", 8) == [8.0, 8.0]
    assert record.core_seconds("net", "training", 8) == [0.02, 0.02]
    assert record.break_even_watts("net", "training", 8) == [400.0, 400.0]
    assert record.idle_watts() == [pytest.approx(450.0)] * 2
    counted, summed = record.energy(1.0, 3.0)
    assert counted == pytest.approx(600) and summed == pytest.approx(400)  # 100 to 300 W over two seconds
    fig, said = figures.board_or_core(record, "net", 1)
    assert "no batch size" in said and len(fig.data) == 4
    assert "batch 1" in figures.board_or_core(record, "net", 51)[1]


def test_the_recorded_board_is_a_measurement_and_its_trace_agrees_with_itself():
    record = board.Board.load()
    assert record.report["label"] == "measured:nvml" and len(record.phases) == 5
    assert record.label == "recorded:nvml", "of another day: not measured in this run"
    end = record.phases[-1][2]
    counted, summed = record.energy(0.2, end)
    assert summed == pytest.approx(counted, rel=0.05)


def test_a_missing_record_of_a_board_says_how_to_get_it(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"energy_gpu\.py"):
        board.Board.load(tmp_path / "none.json")


def test_at_equal_batch_the_record_says_what_it_says():
    """Training at batch 512 beside inference at batch 1 is another question: at equal batch seven of eight cases say the opposite."""
    record = board.Board.load()
    gains = {cell: np.mean(values) for cell, values in record.equal_batch().items()}
    assert len(gains) == 8 and sum(gain > 1 for gain in gains.values()) == 1
    in_time = record.equal_latency((0.006, 0.5, 1e-9))
    assert set(in_time) == {(network, t) for network in record.networks for t in (0.006, 0.5)}, (
        "no batch keeps a nanosecond"
    )


def test_every_claim_has_an_experiment_that_answers_it():
    from efficient_ai import energy
    from efficient_ai.energy import experiments

    answered = [id for experiment in experiments.EXPERIMENTS for id in experiment.reads]
    assert sorted(answered) == sorted(claim.id for claim in energy.CLAIMS)
    models = {claim.id for claim in energy.CLAIMS if claim.assumption}
    assert models == {"K1m", "K2m", "K2g", "K3m"}


def test_a_counter_that_updates_stays_within_its_interval():
    wave = sampling.square(1.0, 60.0, shift=0.3)
    for step in (0.1, 1.0, 7.0):
        window = sampling.counted(wave, sampling.stamps(wave, step, 0.4 * step), update=1.0, phase=0.7)
        assert window.low <= wave.energy(0, 60) <= window.high
        assert window.joules == pytest.approx(wave.energy(0, 60), rel=0.03)
