"""What the shop is told by its environment."""

import os
import secrets
from pathlib import Path
from typing import Final

DATA: Final = Path(os.environ.get("SHOP_DATA", "data")).absolute()
PICTURES: Final = DATA / "pictures"
MAILS: Final = DATA / "mails"

PACKING: Final = float(os.environ.get("SHOP_PACKING", "2"))
"""Seconds that it takes to pack an order."""


def secret() -> str:
    """What tokens are signed with: SHOP_SECRET, the text of SHOP_SECRET_FILE, or made for this process.

    Raises:
        ValueError: it is too short to be worth anything.
    """
    file = os.environ.get("SHOP_SECRET_FILE")
    found = Path(file).read_text(encoding="utf-8").strip() if file else os.environ.get("SHOP_SECRET")
    if found is None:
        return secrets.token_hex(32)
    if len(found) < 32:
        raise ValueError("SHOP_SECRET needs 32 characters: openssl rand -hex 32")
    return found


SECRET: Final = secret()
