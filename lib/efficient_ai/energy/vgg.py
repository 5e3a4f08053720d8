"""The second workload of the authors, as far as their public code tells: a VGG with batch norm, and a small one like it."""

import torch

# Channels of the convolutions of each block of VGG19 (Simonyan and Zisserman, 2014).
VGG19 = ((64, 64), (128, 128), (256,) * 4, (512,) * 4, (512,) * 4)
SMALL = ((16, 16), (32, 32), (64, 64))


class Vgg(torch.nn.Module):
    """Blocks of 3 x 3 convolutions with batch norm, each ended by a max pool of kernel 2 and stride 3, then one linear layer.

    With :data:`VGG19`, one input channel and two classes it has the 20 035 266 parameters of the authors' network for
    chest X-rays of 224 x 224 pixels; with :data:`SMALL` it fits images of 28 x 28.

    Args:
        blocks: channels of the convolutions, block by block.
        classes: of the output.
    """

    def __init__(self, blocks: tuple[tuple[int, ...], ...] = SMALL, classes: int = 10):
        super().__init__()
        layers, before = [], 1
        for block in blocks:
            for channels in block:
                layers += [
                    torch.nn.Conv2d(before, channels, 3, padding=1),
                    torch.nn.BatchNorm2d(channels),
                    torch.nn.ReLU(),
                ]
                before = channels
            layers.append(torch.nn.MaxPool2d(2, stride=3))
        self.features = torch.nn.Sequential(*layers)
        self.head = torch.nn.Linear(before, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits, ``(batch, classes)``, of grey images ``(batch, height, width)``."""
        return self.head(self.features(x.unsqueeze(1)).mean(dim=(2, 3)))


def parameters(model: torch.nn.Module) -> int:
    """Number of trainable numbers."""
    return sum(weight.numel() for weight in model.parameters())
