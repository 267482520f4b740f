"""Reads what the shop is deployed by: its Dockerfile, its Compose file, and its manifests."""

from __future__ import annotations

import re
from typing import Any

import yaml

from garrison.env_file import read_env_file
from tests.integration.shop import SETTINGS, SHOP

MANIFESTS = sorted((SHOP / "kubernetes").glob("*.yaml"))
# Without comments, and with the lines that go on as one.
DOCKERFILE = re.sub(
    r"^#.*\n|\\\n\s*", "", (SHOP / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE
)
INSTRUCTIONS = [line.partition(" ")[::2] for line in DOCKERFILE.splitlines() if line]


def instruction(word: str) -> list[str]:
    """What stands behind a word of the Dockerfile, each time."""
    return [text for found, text in INSTRUCTIONS if found == word]


def compose() -> dict[str, Any]:
    """The Compose file."""
    found = yaml.safe_load((SHOP / "compose.yaml").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def manifest(kind: str, name: str) -> dict[str, Any]:
    """One resource of the manifests."""
    (found,) = [
        one
        for file in MANIFESTS
        for one in yaml.safe_load_all(file.read_text(encoding="utf-8"))
        if (one["kind"], one["metadata"]["name"]) == (kind, name)
    ]
    assert isinstance(found, dict)
    return found


def pod(name: str) -> dict[str, Any]:
    """What the pods of a deployment are made by."""
    found = manifest("Deployment", name)["spec"]["template"]["spec"]
    assert isinstance(found, dict)
    return found


def settings_of(place: str) -> dict[str, str]:
    """The whole environment of the shop in one of the places, without that of its image."""
    if place == "shop.env":
        return read_env_file(SETTINGS)
    if place == "compose.yaml":
        return {**read_env_file(SETTINGS), **compose()["services"]["shop-1"]["environment"]}
    return dict(manifest("ConfigMap", "shop-settings")["data"])
