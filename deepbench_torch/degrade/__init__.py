"""Effects that turn the light of a scene into an image, in this order.

1. `psf`: the point spread of telescope and air, by the formula of a file of its own or an array.
2. `gradient`: an uneven background.
3. `noise`: the noise of photons, then of a pedestal, then that of the read-out.

Each effect is a class: its fields are keys of a recipe, and its methods are the effect on tensors
and its size. A field is a number or a prior; `conditions` has the name of the value that each image
then has, its range, and its card in a FITS header. A recipe has them in `recipe.degrade`.

`table` lists the classes. Recipe keys, the order of noise, the codes of the kernels, the steps of a
ladder and the cards of FITS files follow from it. To add noise or a point spread, write its class,
add it to the table, and write its kernel in `native.noise` or `native.psf`, which give the same
images on CPUs.
"""

from deepbench_torch.degrade.conditions import Condition as Condition
from deepbench_torch.degrade.conditions import Effect as Effect
from deepbench_torch.degrade.conditions import Setting as Setting
from deepbench_torch.degrade.conditions import Values as Values
from deepbench_torch.degrade.gaussian import Blur as Blur
from deepbench_torch.degrade.gaussian import Gaussian as Gaussian
from deepbench_torch.degrade.gaussian import RoundGaussian as RoundGaussian
from deepbench_torch.degrade.gradient import Gradient as Gradient
from deepbench_torch.degrade.moffat import Moffat as Moffat
from deepbench_torch.degrade.noise import Noise as Noise
from deepbench_torch.degrade.noise import Pedestal as Pedestal
from deepbench_torch.degrade.noise import Photons as Photons
from deepbench_torch.degrade.noise import ReadOut as ReadOut
from deepbench_torch.degrade.psf import PointSpread as PointSpread
from deepbench_torch.degrade.psf_array import ArraySpread as ArraySpread
from deepbench_torch.degrade.table import CONDITIONS as CONDITIONS
from deepbench_torch.degrade.table import EFFECTS as EFFECTS
from deepbench_torch.degrade.table import FAMILIES as FAMILIES
from deepbench_torch.degrade.table import NOISES as NOISES
from deepbench_torch.degrade.table import PROFILES as PROFILES
from deepbench_torch.degrade.table import family_of as family_of
from deepbench_torch.degrade.table import places_of as places_of
from deepbench_torch.degrade.table import sample_conditions as sample_conditions
from deepbench_torch.degrade.table import scale_of as scale_of
from deepbench_torch.degrade.table import stream_of as stream_of
