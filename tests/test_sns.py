"""Amazon SNS: whose certificate is asked for, which members of the body are signed, and what they may look like."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import key_samples
from hooklatch import Delivery, NotProven
from hooklatch.providers import AWS_SNS, PAYPAL
from worlds import Endpoint

MakeEndpoint = Callable[..., Endpoint]

DATA = Path(__file__).parent / "data"
ROWS = [row for row in json.loads((DATA / "hostile.json").read_text()) if row["id"].startswith("sns-")]
GENUINE = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-f3ecfb7224c7233fe7bb5f59f96de52f.pem"
V1 = AWS_SNS.using(algorithm="rsa-pkcs1v15-sha1")


class Certificates:
    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, url: str) -> bytes:
        self.asked.append(url)
        return key_samples.pair(AWS_SNS.algorithm, 0)[1].encode()


def receiver(endpoint: MakeEndpoint, record: Any = AWS_SNS) -> tuple[Endpoint, Certificates]:
    fetch = Certificates()
    chain = record.chain(expect=key_samples.expected(AWS_SNS), fetch=fetch)
    return endpoint(routes={"/hook": chain, "/webhooks/sns": chain}), fetch


def message(record: Any = AWS_SNS, **members: Any) -> Delivery:
    given = {"Message": "hello", "Timestamp": "2023-11-14T22:13:20.000Z", "SigningCertURL": GENUINE, **members}
    return key_samples.sent(record, json.dumps(given).encode())


def test_the_certificate_is_fetched_once_from_amazon(endpoint: MakeEndpoint) -> None:
    made, fetch = receiver(endpoint)
    for number in range(3):
        assert made.post(message(MessageId=f"m{number}")).status == 200
    assert fetch.asked == [GENUINE]


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_an_address_elsewhere_is_refused_without_a_call(row: dict[str, Any], endpoint: MakeEndpoint) -> None:
    made, fetch = receiver(endpoint)
    request = row["request"]
    answered = made.post(
        Delivery(request["method"], request["path"], dict(request["headers"]), request["body"].encode())
    )
    assert (answered.status, made.reason) == (row["expect"]["status"], row["expect"]["reason_hint"])
    assert (len(fetch.asked), made.calls) == (request["network_calls"], [])


FILE = "/SimpleNotificationService-x.pem"


@pytest.mark.parametrize(
    "url",
    [
        f"https://sns.us-east-1.amazonaws.com.evil.example{FILE}",
        f"https://evil.example/sns.us-east-1.amazonaws.com{FILE}",
        f"https://sns.s3-us-west-2.amazonaws.com{FILE}",
        f"https://sns.us-east-1.amazonaws.com.{FILE}",
        f"https://SNS.us-east-1.amazonaws.com{FILE}",
        f"https://xsns.us-east-1.amazonaws.com{FILE}",
        f"https://sns.us-east-1.amazonaws.com:443{FILE}",
        f"https://sns.us-east-1.amazonaws.com\\@evil.example{FILE}",
        f"https://sns.us-east-1.amazonaws.com{FILE}?x",
        f"https://sns.us-east-1.amazonaws.com{FILE}#x",
        f"https://sns.us-east-1.amazonaws.com{FILE}\n",
        f" https://sns.us-east-1.amazonaws.com{FILE}",
        "https://sns.us-east-1.amazonaws.com/../SimpleNotificationService-x.pem",
        "https://sns.us-east-1.amazonaws.com/?Action=Publish&x=SimpleNotificationService-x.pem",
        f"HTTPS://sns.us-east-1.amazonaws.com{FILE}",
        f"//sns.us-east-1.amazonaws.com{FILE}",
        "",
        7,
    ],
)
def test_what_only_looks_like_amazons_address_is_refused(url: Any, endpoint: MakeEndpoint) -> None:
    made, fetch = receiver(endpoint)
    assert (made.post(message(SigningCertURL=url)).status, made.reason) == (401, "cert_url_untrusted")
    assert (fetch.asked, made.calls) == ([], [])


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-2", "us-gov-west-1", "ap-southeast-5"])
def test_every_region_is_amazons(region: str, endpoint: MakeEndpoint) -> None:
    made, _ = receiver(endpoint)
    assert made.post(message(SigningCertURL=f"https://sns.{region}.amazonaws.com{FILE}")).status == 200
    assert (
        made.post(message(MessageId="2", SigningCertURL=f"https://sns.{region}.amazonaws.com.cn{FILE}")).status == 200
    )


def test_the_signed_members_are_shown_and_nothing_else_is_proven(endpoint: MakeEndpoint) -> None:
    made, _ = receiver(endpoint)
    assert made.post(message(Subject="s", MessageAttributes={"a": 1})).status == 200
    assert made.last.fields == {
        "Message": "hello",
        "MessageId": made.last.id,
        "Subject": "s",
        "Timestamp": "2023-11-14T22:13:20.000Z",
        "TopicArn": key_samples.EXPECTED["TopicArn"],
        "Type": "Notification",
    }
    assert made.last.coverage == "fields"
    with pytest.raises(NotProven):
        made.last.body  # noqa: B018


@pytest.mark.parametrize("kind", ["SubscriptionConfirmation", "UnsubscribeConfirmation"])
def test_a_confirmation_reaches_the_application_and_nothing_is_called(kind: str, endpoint: MakeEndpoint) -> None:
    made, fetch = receiver(endpoint)
    url = "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&Token=t"
    assert made.post(message(Type=kind, Token="t", SubscribeURL=url)).status == 200
    assert (made.last.fields["Type"], made.last.fields["Token"], fetch.asked) == (kind, "t", [GENUINE])


def changed(genuine: Delivery, **members: Any) -> Delivery:
    return genuine._replace(body=json.dumps({**json.loads(genuine.body), **members}).encode())


@pytest.mark.parametrize("member", ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"])
def test_every_signed_member_counts(member: str, endpoint: MakeEndpoint) -> None:
    made, _ = receiver(endpoint)
    genuine = message(Subject="s")
    for value in ("another", None):
        body = json.loads(changed(genuine, **{member: value}).body)
        if value is None:
            del body[member]
        assert made.post(genuine._replace(body=json.dumps(body).encode())).status == 401
    assert made.calls == []


def test_a_member_that_stands_twice_is_refused(endpoint: MakeEndpoint) -> None:
    made, _ = receiver(endpoint)
    genuine = message()
    for addition in (b'{"Message":"evil",', b'{"M\\u0065ssage":"evil",', b'{"SigningCertURL":"https://evil.example",'):
        assert made.post(genuine._replace(body=addition + genuine.body[1:])).status == 401
    assert made.reason == "body_malformed"


def test_the_version_of_the_signature_is_the_routes_and_not_the_requests(endpoint: MakeEndpoint) -> None:
    for record, other in ((AWS_SNS, V1), (V1, AWS_SNS)):
        made, _ = receiver(endpoint, record)
        assert made.post(message(record)).status == 200
        assert (made.post(message(other)).status, made.reason) == (401, "algorithm_not_allowed")


def test_a_message_of_another_topic_is_refused(endpoint: MakeEndpoint) -> None:
    made, _ = receiver(endpoint)
    foreign = message(TopicArn="arn:aws:sns:us-east-1:999999999999:topic")
    assert (made.post(foreign).status, made.reason) == (401, "signature_mismatch")


@pytest.mark.parametrize("given", ["text/html", "", "application/x-www-form-urlencoded"])
def test_a_content_type_by_which_an_application_would_read_otherwise_is_refused(
    given: str, endpoint: MakeEndpoint
) -> None:
    made, _ = receiver(endpoint)
    genuine = message()
    assert made.post(genuine._replace(headers={**genuine.headers, "content-type": given})).status == 401
    assert made.reason == "body_malformed"


def test_a_message_of_256_kibibytes_is_accepted(endpoint: MakeEndpoint) -> None:
    made, _ = receiver(endpoint)
    assert made.post(message(Message="m" * (256 << 10))).status == 200


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-a5cafa77", 200),
        ("https://api.sandbox.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-a5cafa77", 200),
        ("https://api.paypal.com.evil.example/v1/notifications/certs/CERT-1", 401),
        ("https://api-paypal.com/v1/notifications/certs/CERT-1", 401),
        ("https://api.paypal.com/v1/notifications/certs/CERT-1/../x", 401),
        ("http://api.paypal.com/v1/notifications/certs/CERT-1", 401),
        ("https://www.paypal.com/v1/notifications/certs/CERT-1", 401),
        ("", 401),
    ],
)
def test_paypals_certificate_comes_from_paypal(url: str, status: int, endpoint: MakeEndpoint) -> None:
    fetch = Certificates()
    made = endpoint(routes={"/hook": PAYPAL.chain(expect=key_samples.expected(PAYPAL), fetch=fetch)})
    delivery = key_samples.sent(PAYPAL, headers={"paypal-cert-url": url})
    assert made.post(delivery).status == status
    assert fetch.asked == ([url] if status == 200 else [])
    assert made.reason == ("" if status == 200 else "cert_url_untrusted")
