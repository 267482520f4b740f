"""An app that cannot be imported, because of what it imports."""

import teapot_that_is_not_installed  # type: ignore[import-not-found]

app = teapot_that_is_not_installed.app
