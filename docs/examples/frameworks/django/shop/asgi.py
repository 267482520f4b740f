"""What servers are told to serve: the app, and the app hardened."""

import os

from django.core.asgi import get_asgi_application

from garrison import harden

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")

application = get_asgi_application()
hardened = harden(application)
