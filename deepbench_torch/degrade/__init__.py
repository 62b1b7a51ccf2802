"""Effects that turn the light of a scene into an image, in this order.

1. `psf`: the point spread of telescope and air.
2. `gradient`: an uneven background.
3. `noise`: the noise of photons, then of a pedestal, then that of the read-out.

Each effect is a class: its fields are keys of a recipe, and its methods are the effect on tensors
and its size. A field is a number or a prior; `conditions` names the value that each image then has.
A recipe has them in `recipe.degrade`; the kernels of `native` give the same on CPUs. To add noise,
write its class, give it a key in `recipes.degradation`, and call its kernel in `native.observe`.
"""

from deepbench_torch.degrade.conditions import CONDITIONS as CONDITIONS
from deepbench_torch.degrade.conditions import Effect as Effect
from deepbench_torch.degrade.conditions import Setting as Setting
from deepbench_torch.degrade.conditions import Values as Values
from deepbench_torch.degrade.conditions import sample_conditions as sample_conditions
from deepbench_torch.degrade.conditions import scale_of as scale_of
from deepbench_torch.degrade.conditions import stream_of as stream_of
from deepbench_torch.degrade.gradient import Gradient as Gradient
from deepbench_torch.degrade.noise import Noise as Noise
from deepbench_torch.degrade.noise import Pedestal as Pedestal
from deepbench_torch.degrade.noise import PhotonNoise as PhotonNoise
from deepbench_torch.degrade.noise import ReadOutNoise as ReadOutNoise
from deepbench_torch.degrade.psf import ArraySpread as ArraySpread
from deepbench_torch.degrade.psf import Blur as Blur
from deepbench_torch.degrade.psf import GaussianSpread as GaussianSpread
from deepbench_torch.degrade.psf import MoffatSpread as MoffatSpread
from deepbench_torch.degrade.psf import PointSpread as PointSpread
