"""Watching one network while it learns."""

from efficient_ai.plotting import Progress, figure, live
from efficient_ai.recycle.figures._palette import paint
from efficient_ai.training import History


class LearningView:
    """A bar, a sentence and, in JupyterLab, a plot that follow a training; made for ``after_epoch`` of ``fit``.

    Args:
        epochs: how many there may be, for the bar.
        profile: validation error of the profile, drawn as a line.
    """

    def __init__(self, epochs: int, profile: float):
        self.profile, self.history = profile, History()
        self._bar = Progress(epochs, ["epoch"])
        self._redraw = live(self.figure())

    def update(self, epoch: int, history: History) -> None:
        """Show the state after an epoch."""
        self.history = history
        errors = f"Validation error {history.valid_loss[-1]:.4f}, best {min(history.valid_loss):.4f}; profile {self.profile:.4f}."
        self._bar.update(epoch + 1, errors)
        self._redraw(self.figure())

    def figure(self):
        """Both errors over the epochs."""
        fig = figure(x="epoch", y="mean absolute error (normalised)", height=340)
        epochs = list(range(1, len(self.history.valid_loss) + 1))
        for name, losses, dash in (
            ("training", self.history.train_loss, "dot"),
            ("validation", self.history.valid_loss, "solid"),
        ):
            fig.add_scatter(
                x=epochs, y=[round(v, 5) for v in losses], name=name, mode="lines+markers",
                line=dict(color=paint("ReCycle, zero head"), dash=dash, width=2.5),
            )  # fmt: skip
        fig.add_hline(
            y=self.profile,
            line=dict(color=paint("profile"), dash="dash"),
            annotation_text="profile, validation",
        )
        return fig

    def table(self) -> dict[str, list]:
        return {
            "epoch": list(range(1, len(self.history.valid_loss) + 1)),
            "training": list(self.history.train_loss),
            "validation": list(self.history.valid_loss),
        }
