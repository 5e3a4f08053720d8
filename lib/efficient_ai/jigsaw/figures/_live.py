"""Watching the trainings from the notebook while they run on the ranks."""

import time
from typing import Any

import ipywidgets
from IPython.display import display


def live_view(job: Any, epochs: int, poll: float = 0.3) -> list:
    """Watch the trainings of a job of ``cluster.submit`` until they end and return the results of all ranks.

    A bar for each rank follows its current training, a sentence has the error; in the rendered page they stay as at the end.
    """
    bars = [
        ipywidgets.IntProgress(max=epochs, description=f"rank {rank}") for rank in range(len(job.published()))
    ]
    words = [ipywidgets.HTML() for _ in bars]
    display(ipywidgets.VBox([ipywidgets.HBox(pair) for pair in zip(bars, words, strict=True)]))

    def update() -> None:
        for bar, word, news in zip(bars, words, job.published(), strict=True):
            if news:
                bar.value = news["epoch"]
                word.value = f"batch {news['batch']}, seed {news['seed']}, epoch {news['epoch']}: validation RMSE {news['valid']:.3f}"

    while not job.done:
        update()
        time.sleep(poll)
    found = job.result()
    update()
    return found
