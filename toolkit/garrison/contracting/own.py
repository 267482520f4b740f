"""The word for the document that an app makes of itself."""

from typing import Final

OWN: Final = "app"
"""How a setting names it."""
