"""A whole Django application in one file that takes GitHub's webhooks.

python examples/django_app.py            # sends itself three deliveries and prints what became of them
gunicorn --chdir examples django_app     # serves them; GITHUB_SECRET holds the secret

"""

import json
import os

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from hooklatch.django import verified
from hooklatch.providers import GITHUB

SECRET = os.environ.get("GITHUB_SECRET", "a secret of sixteen")

settings.configure(
    ALLOWED_HOSTS=["localhost", "testserver"],
    INSTALLED_APPS=["hooklatch.django"],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "hooklatch.django.WebhookMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
    ],
    HOOKLATCH={
        "routes": {"/hooks/github": GITHUB.chain(SECRET, max_body=1 << 20)},
        "protect": ["/hooks/*"],
        "store": "memory://",
    },
    ROOT_URLCONF=__name__,
    SECRET_KEY=os.environ.get("DJANGO_SECRET_KEY", "only for this example"),
)


@verified(GITHUB)
def push(request: HttpRequest) -> HttpResponse:
    """Runs once for each genuine push."""
    print("handled:", request.webhook.provider, json.loads(request.body)["ref"])
    return HttpResponse(status=204)


urlpatterns = [path("hooks/github", push)]

django.setup()
application = WSGIHandler()


def main() -> None:
    """Send three deliveries: a genuine one, the same again, and an altered one."""
    call_command("check")
    client = Client(enforce_csrf_checks=True)
    delivery = GITHUB.sign(b'{"ref":"refs/heads/main"}', secret=SECRET, url="/hooks/github")
    for body in (delivery.body, delivery.body, b'{"ref":"refs/heads/evil"}'):
        response = client.post(delivery.url, body, "application/json", headers=delivery.headers)
        print(response.status_code)


if __name__ == "__main__":
    main()
