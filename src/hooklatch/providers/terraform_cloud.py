"""HCP Terraform notifications: HMAC-SHA512 of the raw body with the notification's token."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

TERRAFORM_CLOUD = Provider(
    name="terraform_cloud",
    docs="https://developer.hashicorp.com/terraform/cloud-docs/api-docs/notification-configurations",
    evidence="unconfirmed",
    signature=Header("x-tfe-notification-signature"),
    algorithm="hmac-sha512",
    repeats="possible",
    quirks="Sends no signature where no token was set. The verification request at set-up can look alike.",
)
