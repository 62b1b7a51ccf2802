"""Effects that turn the light of a scene into an image, in this order.

1. `blur`: the point spread of a telescope.
2. `noise`: the noise of photons, then that of the read-out.

Each effect is a class: its fields are keys of a recipe, and its methods are the effect on tensors
and its size. A recipe has them in `recipe.degrade`; the kernels of `native.noise` give the same on
CPUs. To add noise, write its class, give it a key in `recipes.image_fields.Degradation`, and add
its kernel to `native.rows`.
"""

from deepbench_torch.degrade.blur import Blur as Blur
from deepbench_torch.degrade.noise import Noise as Noise
from deepbench_torch.degrade.noise import PhotonNoise as PhotonNoise
from deepbench_torch.degrade.noise import ReadOutNoise as ReadOutNoise
