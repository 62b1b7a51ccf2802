"""Small network of the package, trained within a minute on one core."""

import torch
from torch import Tensor, nn

CHANNELS = (16, 32, 64, 128)


class SmallNetwork(nn.Module):
    """Four convolutions, each halving the image, and one linear layer on the features of all four.

    The features of a convolution are the mean and the maximum of each of its channels, so that
    coarse and fine structure reaches the last layer. Images may have any size.

    Args:
        outputs: Number of outputs.

    Example:
        >>> import torch
        >>> SmallNetwork(3)(torch.zeros(2, 1, 28, 28)).shape
        torch.Size([2, 3])
    """

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.stages = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(),
            )
            for before, after in zip((1, *CHANNELS), CHANNELS, strict=False)
        )
        self.head = nn.Linear(2 * sum(CHANNELS), outputs)

    def forward(self, image: Tensor) -> Tensor:
        """Return outputs (B, K) of images (B, 1, H, W)."""
        features = []
        for stage in self.stages:
            image = stage(image)
            features += [image.mean((2, 3)), image.amax((2, 3))]
        outputs: Tensor = self.head(torch.cat(features, dim=1))
        return outputs
