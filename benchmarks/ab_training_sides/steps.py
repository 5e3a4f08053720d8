"""Runs on ranks: seconds of a step of AB-training, of its rebuilt form and of local SGD. Last line of the output: JSON.

    python steps.py REPEATS

One group, so that nothing but the steps is compared: a rank alone, and two ranks that exchange gradients. All sides train the same
perceptron with hidden layers of 512, hidden weights of rank k at the start and a learning rate of 0, so that k stays; they take turns.
"""

import json
import sys
import time

from efficient_ai import parallel

WIDTH, LAYERS, STEPS, ROUNDS = 512, 4, 8, 3
BATCHES, SHARES = (8, 32, 128, 256, 1024), (1, 2, 4, 8)


def sides(comm, rank, batch):
    """A run per side, its step apart ready to be taken."""
    import torch
    from torch import nn

    from efficient_ai.ab_training import ABTraining, Alone, MPITransport, Schedule

    def made(kind, rebuilt=False):
        torch.manual_seed(0)
        layers = []
        for _ in range(LAYERS):
            layer = nn.Linear(WIDTH, WIDTH)
            with torch.no_grad():
                layer.weight.copy_(
                    torch.randn(WIDTH, rank) @ torch.randn(rank, WIDTH) / (rank * WIDTH) ** 0.5
                )
            layers += [layer, nn.ReLU()]
        model = nn.Sequential(*layers, nn.Linear(WIDTH, 10))
        # One step together, one apart at full rank, then a cut and only steps apart.
        schedule = Schedule(total=100_000, warmup=1, cycle=50_000, together=1, ramp=0)
        transport = Alone() if comm.size == 1 else MPITransport(comm)
        run = ABTraining(
            model, torch.optim.AdamW(model.parameters(), lr=0.0), transport, schedule,
            group=comm.size, kind=kind, keep=[str(2 * LAYERS)],
        )  # fmt: skip
        x, y = torch.randn(batch, WIDTH), torch.randint(0, 10, (batch,))
        run.step(lambda: nn.functional.cross_entropy(model(x), y))
        if kind == "ab":
            for place in run.places:
                _reduce(run, place, rank)
        if rebuilt:
            for module in model.modules():
                vars(module).pop("forward", None)
        return lambda: run.step(lambda: nn.functional.cross_entropy(model(x), y))

    def _reduce(run, place, rank):
        """Factors of rank k without waiting for the second phase apart."""
        from efficient_ai.ab_training import balanced

        old = place.b
        whole = place.view.join((place.a @ place.b).detach())
        a, b = balanced(whole, place.view, None)
        factor = place.install(a[..., :rank].contiguous(), b[..., :rank, :].contiguous(), "b")
        run.optimizer.state.pop(old, None)
        for group in run.optimizer.param_groups:
            group["params"] = [factor if p is old else p for p in group["params"]]

    return {"local SGD": made("local"), "AB": made("ab"), "AB, rebuilt": made("ab", rebuilt=True)}


def timed(comm, rank, batch, repeats):
    """Seconds of a step by side, the fastest of each; the sides take turns."""
    import torch

    torch.set_num_threads(1)
    ready = sides(comm, rank, batch)
    found = {side: [] for side in ready}
    for _ in range(repeats + 1):
        for side, step in ready.items():
            comm.barrier()
            began = time.perf_counter()
            for _ in range(STEPS):
                step()
            found[side].append((time.perf_counter() - began) / STEPS)
    return {side: sorted(seconds[1:]) for side, seconds in found.items()}


def main() -> None:
    repeats, rows = int(sys.argv[1]), []
    for ranks in (1, 2):
        for share in SHARES:
            for batch in BATCHES:
                seconds = parallel.run_ranks(timed, ranks, WIDTH // share, batch, repeats, timeout=600)[0]
                best = {side: values[0] for side, values in seconds.items()}
                median = {side: values[len(values) // 2] for side, values in seconds.items()}
                rows.append({
                    "ranks": ranks, "k": WIDTH // share, "batch": batch, "seconds": best, "median": median,
                    "ratio": {side: best[side] / best["local SGD"] for side in best},
                })  # fmt: skip
    print(json.dumps({"width": WIDTH, "layers": LAYERS, "repeats": repeats, "rows": rows}))


if __name__ == "__main__":
    main()
