"""Images, in the order in which a pixel is made.

1. `native.scene` samples which objects an image holds and their parameters; `native.layout` says
   on which grid a layout is judged. `scene` holds the same as tensors.
2. `native.light` renders each object, as the mean over points of each pixel if the recipe asks for
   `samples`; with tensors `objects.kind` does.
3. `compose` adds the light of the objects, or unites it.
4. `spread` spreads the light as a telescope does, and adds points, which have the form of the
   point spread.
5. The package `degrade` adds the gradient of the background, then the noise of photons and of the
   read-out.

`render` does all of this for the rows of a recipe, and adds the labels: by compiled kernels on
CPUs, by tensors on other devices. `observe` does it for the objects of a user. `instances` renders
each object alone, for boxes, masks and components; `targets` has the values that a dataset returns
beside an image; `measure` fits an object to an image, and returns the Fisher matrix of its
parameters.
"""
