"""A recipe of images: validated, complete and immutable."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self, final

from pydantic import field_validator, model_validator
from torch import Tensor
from typing_extensions import override

from deepbench_torch.numerics.checks import Fault, FaultsError, Location, nearest
from deepbench_torch.priors import Prior
from deepbench_torch.recipes.base import AbstractRecipe, Calibration, Rung
from deepbench_torch.recipes.brightness import magnitude_locations
from deepbench_torch.recipes.counts import count_faults, label_faults, shared_faults
from deepbench_torch.recipes.degradation import gradient_fault
from deepbench_torch.recipes.density import scene_log_prob
from deepbench_torch.recipes.doubts import image_doubts
from deepbench_torch.recipes.frozen import freeze
from deepbench_torch.recipes.given_scene import Present, Scene, SceneUnits
from deepbench_torch.recipes.image_fields import AbstractImageRecipe
from deepbench_torch.recipes.image_vector import image_vector
from deepbench_torch.recipes.ladder import STEPS, rungs
from deepbench_torch.recipes.messages import short_repr
from deepbench_torch.recipes.object_rules import complete_objects, complete_scene, name_faults
from deepbench_torch.recipes.plain import UnitAt
from deepbench_torch.recipes.simplification import check_simplification
from deepbench_torch.recipes.units import image_unit
from deepbench_torch.recipes.vector import Vector

WITHOUT_ZERO = (
    "expected a recipe with zero_point, got none; set zero_point, the magnitude of an object whose "
    "pixels sum to 1"
)


@final
class Recipe(AbstractImageRecipe):
    """Definition of a catalogue's images.

    `AbstractImageRecipe` describes the other keys.

    Attributes:
        ladder: Steps of `rungs`, in the order in which they are added.

    Raises:
        ValueError: If keys are wrong; it lists each fault with its remedy.

    Example:
        >>> import deepbench_torch as db
        >>> recipe = db.load_recipe("sky").replace(degrade=None)
        >>> recipe.shape, recipe.classes
        ((1, 64, 64), ['star', 'galaxy', 'spiral'])
    """

    not_hashed: ClassVar[frozenset[str]] = AbstractRecipe.not_hashed | {
        "ladder",
        "zero_point",
        "pixel_scale",
    }

    # keys that are left out of files unless they are set, so that older files are the same bytes
    unwritten: ClassVar[frozenset[str]] = frozenset({"zero_point", "pixel_scale"})
    array_name: ClassVar[str] = "images"
    shape_remedy: ClassVar[str] = "use image_size to render all at one size"

    ladder: tuple[str, ...] = tuple(STEPS)

    @model_validator(mode="before")
    @classmethod
    def _add_scene_kinds(cls, plain: object) -> object:
        """Add the kinds that only the scene names."""
        if not isinstance(plain, dict) or not isinstance(plain.get("scene"), list | tuple):
            return plain
        objects = plain.get("objects", {})
        if not isinstance(objects, dict):
            return plain
        parts = [part for part in plain["scene"] if isinstance(part, dict)]
        listed: dict[object, object] = {kind: {} for part in parts for kind in part}
        return plain | {"objects": {kind: {} for kind in objects} | listed | objects}

    @field_validator("objects", mode="before")
    @classmethod
    def _check_names(cls, objects: object) -> object:
        """Refuse unknown kinds and parameters, whatever their values are."""
        if isinstance(objects, Mapping):
            named = {
                kind: priors if isinstance(priors, Mapping) else ()
                for kind, priors in objects.items()
            }
            faults = [fault for kind in named for fault in name_faults(kind, named[kind], (kind,))]
            if faults:
                raise FaultsError(faults)
        return objects

    @field_validator("objects")
    @classmethod
    def _fill_objects(cls, objects: dict[str, dict[str, Prior]]) -> dict[str, dict[str, Prior]]:
        """Fill in the parameters that are left out, in order."""
        return complete_objects(objects)

    @classmethod
    @override
    def _units(cls, plain: Mapping[str, Any]) -> UnitAt:
        return image_unit

    @field_validator("ladder")
    @classmethod
    def _check_steps(cls, ladder: tuple[str, ...]) -> tuple[str, ...]:
        for location, step in enumerate(ladder):
            if step not in STEPS or step in ladder[:location]:
                rule = f"steps of {', '.join(STEPS)}, each once"
                hint = nearest(step, STEPS).strip() or "remove it"
                raise FaultsError(
                    [Fault((location,), f"expected {rule}, got {short_repr(step)}; {hint}")]
                )
        return ladder

    @model_validator(mode="after")
    def _check_keys_together(self) -> Self:
        faults = [*count_faults(self), *shared_faults(self), *label_faults(self)]
        gradient = gradient_fault(self.degrade, self.grid)
        faults += [gradient] if gradient is not None else []
        # the fields are frozen for users; these are the same values, complete and in order
        try:
            if self.scene is not None:
                self.__dict__["scene"] = freeze(complete_scene(self.scene, self.objects))
        except FaultsError as error:
            faults += error.faults
        try:
            if self.simplify is not None:
                self.__dict__["simplify"] = check_simplification(
                    self.simplify, list(self.objects), counted=self.counts is not None
                )
        except FaultsError as error:
            faults += [
                Fault(("simplify", *location), message) for location, message in error.faults
            ]
        if self.zero_point is None:
            faults += [Fault(location, WITHOUT_ZERO) for location in self.magnitudes]
        if faults:
            raise FaultsError(faults)
        return self

    @property
    def magnitudes(self) -> list[Location]:
        """The location of each magnitude that is sampled in place of an amplitude."""
        held = {} if self.simplify is None else self.simplify.values
        return list(magnitude_locations(self.objects, self.scene or (), held))

    @property
    @override
    def unhashed(self) -> frozenset[str]:
        return self.not_hashed - {"zero_point"} if self.magnitudes else self.not_hashed

    @override
    def to_plain(self) -> dict[str, Any]:
        plain = super().to_plain()
        return {
            key: value
            for key, value in plain.items()
            if value is not None or key not in self.unwritten
        }

    @property
    @override
    def image_size(self) -> tuple[int, int]:
        return self.image.height, self.image.width

    @property
    @override
    def calibration(self) -> Calibration:
        return Calibration(self.zero_point, self.pixel_scale)

    @property
    @override
    def class_labels(self) -> bool:
        return self.label in ("class", "present")

    @property
    @override
    def label_name(self) -> str:
        return self.label if isinstance(self.label, str) else "parameters"

    @property
    @override
    def owners(self) -> list[str]:
        return list(self.objects)

    @override
    def priors_of(self, owner: str) -> Mapping[str, Prior] | None:
        return self.objects[owner] if self.scene is None else None

    @property
    @override
    def vector(self) -> Vector:
        return image_vector(self)

    def log_prob(
        self, parameters: Scene, present: Present | None = None, *, units: SceneUnits = "pixel"
    ) -> Tensor:
        """Return the joint log density of the objects of some images under the priors.

        It is the sum of the log probability of the numbers and kinds of objects, as the recipe
        samples them into slots, and of `Prior.log_prob` of each parameter of each present object.
        Pixels are another unit than the fractions of a recipe, so each continuous position or
        length is divided by the pixels of its side (change of variables); with `units="recipe"` it
        is not. Discrete and fixed parameters have probabilities, which no unit changes. Values that
        float32 rounded beyond the end of a prior count as possible. A prior of `flux` or
        `magnitude` gives the density of the amplitude, given the other parameters of the object.

        A `layout` selects among scenes by visibility, and the density of those selected has no
        closed form. The result is the density before this selection.

        Args:
            parameters: By kind and name, shape (B, slots) or (B,), as `sample.scene`.
            present: By kind, which slots hold an object, as `sample.present`. If None, the slots of
                a generated scene; of any other the slots whose parameters are not all NaN.
            units: "pixel" for pixels and radians, "recipe" for the units of the priors.

        Returns:
            float64, shape (B,); -inf for scenes that the priors cannot return. Differentiable by
            continuous parameters.

        Raises:
            ValueError: If the recipe has `simplify`, or the parameters do not fit its kinds.

        Example:
            >>> import deepbench_torch as db, torch
            >>> sample = db.generate("lensing", 0, torch.arange(3))
            >>> sample.recipe.log_prob(sample.scene, sample.present).shape
            torch.Size([3])
        """
        return scene_log_prob(self, parameters, present, units=units)

    @override
    def doubts(self) -> Iterator[Fault]:
        return image_doubts(self)

    @override
    def rungs(self) -> list[Rung]:
        """Return the difficulty ladder, from the simplest version to the recipe itself."""
        return rungs(self, self.ladder)


def require_images(recipe: AbstractRecipe, where: str, *, remedy: str) -> Recipe:
    """Return a recipe of images; refuse any other, for arguments that only images have.

    Args:
        recipe: The recipe that a user passed.
        where: The function or argument that needs images.
        remedy: What to do instead.

    Raises:
        ValueError: If the rows are no images.
    """
    if not isinstance(recipe, Recipe):
        raise ValueError(
            f"{where}: expected a recipe of images, got {recipe.name} of {recipe.plural}; {remedy}"
        )
    return recipe
