"""What happens once, when Django starts."""

import logging

from django.apps import AppConfig

log = logging.getLogger("shop")


class Shop(AppConfig):
    """The app."""

    name = "shop"

    def ready(self) -> None:
        """Say when the shop opens; Django knows nothing of the end."""
        log.info("the shop opens")
