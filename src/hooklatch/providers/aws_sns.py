"""Amazon SNS over HTTPS: RSA of chosen members of the body; the message itself is one of them."""

from hooklatch.fields import Header, JSONField
from hooklatch.provider import Provider
from hooklatch.remote_keys import Published

AWS_SNS = Provider(
    name="aws_sns",
    docs="https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html",
    evidence="documentation",
    signature=JSONField("Signature"),
    scheme="aws_sns",
    timestamp=JSONField("Timestamp"),
    timestamp_unit="rfc3339",
    id=JSONField("MessageId"),
    expects=("TopicArn",),
    algorithm="rsa-pkcs1v15-sha256",
    encoding="base64",
    published=Published(
        named_by=JSONField("SigningCertURL"),
        allowed=r"https://sns\.[a-z]{2}(-[a-z]{2,12}){1,2}-[0-9]{1,2}\.amazonaws\.com(\.cn)?"
        r"/SimpleNotificationService-[0-9a-zA-Z]{1,64}\.pem",
    ),
    unsigned={"type": Header("x-amz-sns-message-type")},
    agents=("Amazon Simple Notification Service Agent",),
    max_age=3600,
    max_skew=300,
    max_body=1 << 19,
    retries=3600,
    repeats="never",
    quirks="Topics sign by SHA-1 until their SignatureVersion is set to 2, which this record wants; for the others "
    "say using(algorithm='rsa-pkcs1v15-sha1'). A SubscriptionConfirmation comes as any message does: call "
    "ConfirmSubscription with its Token, never GET an address from a body. MessageAttributes and UnsubscribeURL are "
    "not signed. Raw delivery has no signature.",
)
