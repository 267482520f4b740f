"""Names that the processes that measure share with the one that reports."""

from __future__ import annotations

from typing import Final, Literal

Group = Literal["no SDK", "traces", "traces and histogram"]
GROUPS: Final[tuple[Group, ...]] = ("no SDK", "traces", "traces and histogram")

BARE: Final = "bare app"
NO_OPS: Final = "six do-nothing layers"
RECIPE: Final = "the usual recipe"
RECIPE_ASGI: Final = "the recipe, slowapi's ASGI class"
GARRISON: Final = "Garrison, default stack"
QUOTA: Final = "Garrison, default and a quota"
REST: Final = "Garrison, no browser policy"

# Before the name of a layer: that layer and no other, and that layer with all layers outside of it.
ALONE: Final = "alone: "
DOWN_TO: Final = "down to: "

# Before the name of a rate limiter around the bare app, without any other layer.
LIMITER: Final = "limiter: "
OUR_LIMITER: Final = f"{LIMITER}Garrison"
