"""One Django project for all tests of a process, which can configure Django only once; tests override its settings."""

from __future__ import annotations

import django
from django.conf import settings

from hooklatch.providers import GITHUB

SECRET = "one secret, long enough"
PATH = "/hooks/github"
OURS = "hooklatch.django.WebhookMiddleware"
CSRF = "django.middleware.csrf.CsrfViewMiddleware"
COMMON = "django.middleware.common.CommonMiddleware"

settings.configure(
    ALLOWED_HOSTS=["*"],
    DATABASES={},
    HOOKLATCH={"routes": {PATH: GITHUB.chain(SECRET, max_body=10_000)}},
    INSTALLED_APPS=["hooklatch.django"],
    MIDDLEWARE=[OURS, COMMON, CSRF],
    SECRET_KEY="of no importance",
    LOGGING_CONFIG=None,
)
django.setup()
