"""What Django needs to know; no more than a shop without users and models takes."""

import os
import secrets

SECRET_KEY = os.environ.get("SHOP_SECRET_KEY") or secrets.token_urlsafe(50)
# Which hosts there are is for GARRISON_HOSTS_ALLOWED to say.
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "shop.urls"
INSTALLED_APPS = ["shop.apps.Shop"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware", "shop.route.tell_route"]
