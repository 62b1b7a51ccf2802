"""Types of numbers in the fields of a recipe.

They are strict: a number in quotes, or yes instead of a number, is an error.
"""

from typing import Annotated

from pydantic import Field

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Positive = Annotated[Number, Field(gt=0)]
