"""The kinds of object that the package can draw: one explicit table."""

from typing import Any

from deepbench_torch.objects.arc import ARC
from deepbench_torch.objects.circle import CIRCLE
from deepbench_torch.objects.ellipse import ELLIPSE
from deepbench_torch.objects.galaxy import GALAXY
from deepbench_torch.objects.line import LINE
from deepbench_torch.objects.parameters import ObjectKind
from deepbench_torch.objects.polygon import POLYGON
from deepbench_torch.objects.rectangle import RECTANGLE
from deepbench_torch.objects.spiral import SPIRAL
from deepbench_torch.objects.star import STAR

OBJECTS: dict[str, ObjectKind[Any]] = {
    kind.name: kind
    for kind in (STAR, GALAXY, SPIRAL, ELLIPSE, CIRCLE, RECTANGLE, POLYGON, ARC, LINE)
}
