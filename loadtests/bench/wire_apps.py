"""What is served over sockets: the trivial app as it is, and in the peers' recipe."""

from __future__ import annotations

from loadtests.bench.recipe import usual_recipe
from loadtests.bench.variants import trivial_app

plain = trivial_app()
recipe = usual_recipe(trivial_app())
