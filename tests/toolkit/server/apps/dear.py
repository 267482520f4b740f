"""An app that cannot be imported, because of what it does then."""

import json

app = json.loads("{")
