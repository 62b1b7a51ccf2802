"""Datasets: catalogues, their splits, collections and streams.

Targets:

====================  =========================================================================
target                value for each image
====================  =========================================================================
label                 class index, or which kinds are present, or what the recipe's `label` names,
                      float32 (K,)
parameters            by kind and name, (slots,) each, in pixels and radians, with `present`
boxes, masks, labels  `tv_tensors.BoundingBoxes` (N, 4), `tv_tensors.Mask` (N, H, W) and kinds (N,)
                      from 1 on, of the objects in view
vector                the parameters that vary, float32 (D,), each with mean 0 and variance 1 under
                      its prior, of the brightest object of each kind; NaN without one
galaxy/radius         one parameter of the vector, by its name, float32 (1,), or (2,) for an angle
conditions            by name, the numbers of point spread, background and noise of the image
slots                 for each object in view its slot among the `parameters` of its kind, (N,)
snr                   for each object in view its signal-to-noise ratio, (N,)
components            each object's own noiseless light (N, H, W); their sum or union is `clean`
clean                 the image without noise, (1, H, W)
index                 the row number
====================  =========================================================================

A list of names returns a dict. `recipe.vector` names the columns of a vector, their parameters and
units, and decodes what a network estimates::

    data = db.Catalogue("galaxy", target="vector")
    vector = data.recipe.vector                     # vector.names, vector.parameters, vector.units
    radius = vector.decode(network(images))["galaxy/radius"]  # in pixels

Images hold different numbers of objects, so a loader returns lists
of images and targets for boxes, masks, labels, slots, snr and components. A mask holds the pixels
where the object's own light reaches a threshold: a tenth of its centre for a star or a spiral, the
ellipse of half its light for a galaxy, the edge of a shape. Shapes unite before a blur, so blurred
components do not. torchvision's v2 transforms, passed as `transforms`, move image, boxes and masks
together (`clean` and `components` stay as they are), and its detection networks accept a batch as
it is. `catalogue.recipe.unit("parameters/star/x")` returns a unit::

    data = db.Catalogue("sky", target=["boxes", "masks", "labels"])
    images, targets = next(iter(DataLoader(data, batch_size=8)))
    network = maskrcnn_resnet50_fpn(
        weights=None, weights_backbone=None, num_classes=4, min_size=64, max_size=64
    )
    losses = network(images, targets)
"""

from deepbench_torch.datasets.base import PairDataset, PairTransform, Transform
from deepbench_torch.datasets.catalogue import Catalogue, RowDataset
from deepbench_torch.datasets.splits import LARGEST_SIZE, Split, split_rows

__all__ = [
    "LARGEST_SIZE",
    "Catalogue",
    "PairDataset",
    "PairTransform",
    "RowDataset",
    "Split",
    "Transform",
    "split_rows",
]
