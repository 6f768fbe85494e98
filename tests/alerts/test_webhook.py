import base64
import hashlib
import hmac
from collections.abc import Iterable

import pytest

from vigilance.alerts import webhook
from vigilance.errors import OutOfResources, UsageError

PUBLIC = "93.184.216.34"


def at(*addresses: str) -> webhook.Resolve:
    def resolver(host: str, port: int) -> Iterable[str]:
        return addresses

    return resolver


def test_a_good_address_is_pinned() -> None:
    target = webhook.checked("https://Hooks.Example.org/a?b=c", ["hooks.example.org"], at(PUBLIC))
    assert target == webhook.Target("hooks.example.org", 443, "/a?b=c", PUBLIC)


@pytest.mark.parametrize(
    "url", ["http://hooks.example.org/", "https://user:pw@hooks.example.org/", "https:///x", "ftp://hooks.example.org"]
)
def test_only_plain_https(url: str) -> None:
    with pytest.raises(UsageError, match="https"):
        webhook.checked(url, ["hooks.example.org"], at(PUBLIC))


def test_only_hosts_on_the_list() -> None:
    with pytest.raises(UsageError, match="not on the list"):
        webhook.checked("https://evil.example.org/", ["hooks.example.org"], at(PUBLIC))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "fe80::1%eth0",
        "fc00::1",
        "::ffff:10.0.0.1",
        "2002:7f00:0001::",
    ],
)
def test_no_address_that_is_not_public_even_among_others(address: str) -> None:
    with pytest.raises(UsageError, match="not public"):
        webhook.checked("https://hooks.example.org/", ["hooks.example.org"], at(PUBLIC, address))


def test_a_name_without_an_address() -> None:
    with pytest.raises(UsageError, match="not public"):
        webhook.checked("https://hooks.example.org/", ["hooks.example.org"], at())


TARGET = webhook.Target("hooks.example.org", 443, "/", PUBLIC)


class Answers:
    """A receiver that answers as told, and keeps what it got."""

    def __init__(self, *answers: int | OSError) -> None:
        self.answers = list(answers)
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.slept: list[float] = []

    def __call__(self, target: webhook.Target, path: str, headers: dict[str, str], body: bytes) -> int:
        self.got.append((headers, body))
        answer = self.answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    def deliver(self) -> int:
        return webhook.deliver(TARGET, "m1", b"[]", b"key", send=self, now=lambda: 1000.5, sleep=self.slept.append)


def test_what_is_sent_is_signed_over_id_time_and_body() -> None:
    answers = Answers(204)
    assert answers.deliver() == 1
    headers, _ = answers.got[0]
    expected = base64.b64encode(hmac.new(b"key", b"m1.1000.[]", hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("m1", "1000")


def test_it_tries_again_after_a_failure_with_the_same_id() -> None:
    answers = Answers(OSError("net"), 503, 429, 200)
    assert answers.deliver() == 4
    assert answers.slept == list(webhook.WAITS_SECONDS)
    assert {headers["webhook-id"] for headers, _ in answers.got} == {"m1"}


@pytest.mark.parametrize("status", [301, 302, 400, 401, 404])
def test_a_redirect_or_a_refusal_is_not_followed_or_repeated(status: int) -> None:
    answers = Answers(status)
    with pytest.raises(UsageError, match=str(status)):
        answers.deliver()
    assert len(answers.got) == 1


def test_it_gives_up() -> None:
    with pytest.raises(OutOfResources, match="4 tries"):
        Answers(500, 500, 500, 500).deliver()
