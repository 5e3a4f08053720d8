"""Watching the trainings from the notebook while they run on the ranks."""

import time
from typing import Any

from efficient_ai.plotting import Progress


def live_view(job: Any, epochs: int, poll: float = 0.3) -> list:
    """Watch the trainings of a job of ``cluster.submit`` until they end and return the results of all ranks.

    A bar for each rank follows its current training, a sentence has the error; in the rendered page they stay as at the end.
    """
    bars = Progress(epochs, [f"rank {rank}" for rank in range(len(job.published()))])

    def update() -> None:
        for rank, news in enumerate(job.published()):
            if news:
                words = f"batch {news['batch']}, seed {news['seed']}, epoch {news['epoch']}: validation RMSE {news['valid']:.3f}"
                bars.update(news["epoch"], words, rank)

    while not job.done:
        update()
        time.sleep(poll)
    found = job.result()
    update()
    return found
