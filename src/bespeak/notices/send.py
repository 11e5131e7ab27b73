"""Sending one notice: a signed webhook, a mail, or a message to a chat."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from typing import TYPE_CHECKING

from bespeak.base.clock import SECOND_US, iso
from bespeak.base.display import escape_unprintable
from bespeak.base.errors import BespeakError
from bespeak.base.json_text import compact_utf8
from bespeak.notices.model import Channel
from bespeak.notices.safe_address import http_url, pinned, post
from bespeak.notices.store import SECRET_PREFIX

if TYPE_CHECKING:
    from bespeak.notices.model import Delivery, Notice
    from bespeak.notices.targets import DeliverySettings, MailServer

TIMEOUT_SECONDS = 15.0
_GONE = 410
_LONGEST_ERROR = 300


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of sending.

    Attributes:
        ok: it arrived.
        error: why it did not; without secrets.
        final: trying again, or anything else to this subscription, makes no sense.
    """

    ok: bool
    error: str = ""
    final: bool = False


def send(delivery: Delivery, ways: DeliverySettings, now_us: int) -> Sent:
    """Send a notice; whatever goes wrong is an answer, not an error."""
    channel = delivery.subscription.channel
    try:
        if channel is Channel.WEBHOOK:
            return _webhook(delivery, ways, now_us)
        if channel is Channel.MAIL:
            return _mail(delivery, ways.mail)
        return _chat(delivery)
    except BespeakError as error:
        return _failed(str(error))
    except (OSError, http.client.HTTPException, smtplib.SMTPException) as error:
        return _failed(f"{type(error).__name__}: {error}")


def _failed(text: str) -> Sent:
    return Sent(ok=False, error=escape_unprintable(text)[:_LONGEST_ERROR])


def payload(notice: Notice) -> bytes:
    """Return the body of a webhook; the same for every attempt."""
    data = {
        "user": notice.recipient,
        "text": notice.text,
        "resources": list(notice.resources),
        "reservation_id": notice.reservation_id,
    }
    document = {"type": f"reservation.{notice.kind.value}", "timestamp": iso(notice.at_us), "data": data}
    return compact_utf8(document).encode()


def signature(secret: str, identifier: str, timestamp: int, body: bytes) -> str:
    """Return the signature of a webhook as Standard Webhooks defines it.

    Args:
        secret: ``whsec_`` and a key in base 64.
        identifier: the id of the message.
        timestamp: when this attempt is made, seconds since 1970.
        body: what is sent.
    """
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = f"{identifier}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def _webhook(delivery: Delivery, ways: DeliverySettings, now_us: int) -> Sent:
    subscription = delivery.subscription
    url = http_url(subscription.target)
    address = pinned(url.host, url.port, ways.allowed)
    body, timestamp = payload(delivery.notice), now_us // SECOND_US
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "bespeak",
        "webhook-id": delivery.notice.id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(subscription.secret, delivery.notice.id, timestamp, body),
    }
    status, answer = post(url, body, headers, address=address, timeout_seconds=TIMEOUT_SECONDS)
    if http.client.OK <= status < http.client.MULTIPLE_CHOICES:
        return Sent(ok=True)
    text = escape_unprintable(answer[:80].decode("utf-8", "replace"))
    return Sent(ok=False, error=f"it answered {status} {text}"[:_LONGEST_ERROR], final=status == _GONE)


def mail_message(notice: Notice, sender: str, recipient: str) -> EmailMessage:
    """Return a notice as mail; no text of users can add a header."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = recipient
    message["Subject"] = " ".join(f"[bespeak] {notice.text}".split())[:160]
    message["Message-ID"] = f"<{notice.id}@bespeak.invalid>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(notice.text + "\n")
    return message


def _mail(delivery: Delivery, server: MailServer | None) -> Sent:
    if server is None:
        return Sent(ok=False, error="this server sends no mail (serve --mail-from)")
    message = mail_message(delivery.notice, server.sender, delivery.subscription.target)
    make = smtplib.SMTP_SSL if server.tls == "implicit" else smtplib.SMTP
    with make(server.host, server.port, timeout=TIMEOUT_SECONDS) as connection:
        if server.tls == "starttls":
            connection.starttls(context=ssl.create_default_context())
        if server.user:
            connection.login(server.user, server.password)
        connection.send_message(message)
    return Sent(ok=True)


def _chat(delivery: Delivery) -> Sent:
    try:
        import apprise
    except ImportError:
        return Sent(ok=False, error="chats need the extra 'chat' where the server runs")
    told = apprise.Apprise()
    if not told.add(delivery.subscription.target):
        return Sent(ok=False, error="the address of the chat cannot be read", final=True)
    ok = bool(told.notify(body=delivery.notice.text, title="bespeak"))
    return Sent(ok=ok, error="" if ok else "the chat did not take it")
