"""Alerts to a web address: off unless asked for, https only, to hosts on a list, at public addresses, signed.

The name is resolved once, every address it has must be public, and the connection goes to that very address: a name
that changes its mind between the check and the call reaches nothing. Redirects are not followed. The signature is
``HMAC-SHA256(secret, id.timestamp.body)`` after the Standard Webhooks specification, so that a receiver can refuse
what is old or repeated.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from vigilance.errors import OutOfResources, UsageError
from vigilance.i18n import messages

_ = messages("alerts")

TIMEOUT_SECONDS: Final = 10.0
WAITS_SECONDS: Final = (1.0, 4.0, 16.0)
"""How long to wait before each new try."""
SECRET_VARIABLE: Final = "VIGILANCE_WEBHOOK_SECRET"  # noqa: S105 - the name of a variable, not a secret

Resolve = Callable[[str, int], Iterable[str]]
Send = Callable[["Target", str, dict[str, str], bytes], int]


@dataclass(frozen=True, slots=True)
class Target:
    """An address that passed every check: ``ip`` is where to connect, ``host`` whom to expect there."""

    host: str
    port: int
    path: str
    ip: str


def resolve(host: str, port: int) -> Iterable[str]:
    """The addresses of a host."""
    return sorted({str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)})


def checked(url: str, allowed: Collection[str], resolver: Resolve = resolve) -> Target:
    """A target, or ``UsageError`` that says what is wrong with the address."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if parts.scheme != "https" or not host or parts.username or parts.password:
        raise UsageError(_("a webhook needs an https address without a password in it"))
    if host not in {name.lower() for name in allowed}:
        raise UsageError(
            _("{host} is not on the list of hosts").format(host=host), hint=_("allow it with --webhook-allow HOST")
        )
    try:
        port = parts.port or 443
        addresses = list(resolver(host, port))
    except (OSError, ValueError) as error:
        raise UsageError(_("{host} cannot be resolved: {reason}").format(host=host, reason=error)) from error
    hidden = [address for address in addresses if not _public(address)]
    if hidden or not addresses:
        raise UsageError(_("{host} leads to an address that is not public").format(host=host))
    query = f"?{parts.query}" if parts.query else ""
    return Target(host, port, (parts.path or "/") + query, addresses[0])


def _public(address: str) -> bool:
    """Whether an address is of the open internet; one of the forms that wrap an IPv4 address counts as that address."""
    ip = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is not None:
            return inner.is_global
    return ip.is_global and not ip.is_multicast


def signature(secret: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """``v1,`` and the Base64 of the HMAC over ``id.timestamp.body``."""
    made = hmac.new(secret, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256)
    return "v1," + base64.b64encode(made.digest()).decode()


def deliver(
    target: Target,
    message_id: str,
    body: bytes,
    secret: bytes,
    *,
    send: Send | None = None,
    now: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Send one batch of CloudEvents; gives the number of tries.

    Tries again after a failure of the net or an answer of 429 or 5xx, with the same id, so that a receiver can tell.
    Raises ``UsageError`` for an answer that will not change, ``OutOfResources`` when every try failed.
    """
    post = send or _post
    for number, wait in enumerate((*WAITS_SECONDS, None), start=1):
        timestamp = int(now())
        headers = {
            "Host": target.host if target.port == 443 else f"{target.host}:{target.port}",
            "Content-Type": "application/cloudevents-batch+json",
            "Content-Length": str(len(body)),
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(secret, message_id, timestamp, body),
        }
        try:
            status = post(target, target.path, headers, body)
        except (OSError, http.client.HTTPException):
            status = 0
        if 200 <= status < 300:
            return number
        if status and status != 429 and status < 500:
            raise UsageError(_("{host} answered {status}").format(host=target.host, status=status))
        if wait is not None:
            sleep(wait)
    raise OutOfResources(
        _("{host} could not be reached in {n} tries").format(host=target.host, n=len(WAITS_SECONDS) + 1)
    )


def _post(target: Target, path: str, headers: dict[str, str], body: bytes) -> int:
    """One request to the pinned address; the certificate must be that of the host."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    with (
        socket.create_connection((target.ip, target.port), timeout=TIMEOUT_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=target.host) as secured,
    ):
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        secured.sendall(f"POST {path} HTTP/1.1\r\n{lines}Connection: close\r\n\r\n".encode() + body)
        answer = http.client.HTTPResponse(secured)
        answer.begin()
        return answer.status
