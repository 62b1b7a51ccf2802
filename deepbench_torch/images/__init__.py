"""Images, in the order in which a pixel is made.

1. `native.scene` samples which objects an image holds and their parameters; `native.layout` says
   on which grid a layout is judged. `scene` holds the same as tensors.
2. `compose` adds the light of the objects, or unites it.
3. `spread` spreads the light as a telescope does.
4. The package `degrade` adds the noise of photons and of the read-out.
5. `render` does all of this for the rows of a recipe, and adds the labels: by compiled kernels on
   CPUs, by tensors on other devices.
6. `instances` renders each object alone, for boxes, masks and components.
7. `targets` has the values that a dataset returns beside an image.
8. `observe` renders the objects of a user like the rows of a recipe.
9. `measure` fits an object to an image, and returns the Fisher matrix of its parameters.
"""
