"""Signs and verifies messages between Chorus and gateways, by the specification Standard Webhooks."""

from collections.abc import Mapping
from datetime import datetime

from standardwebhooks import Webhook, WebhookVerificationError

from shared.channels.gateways import Gateway

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"


def signed_headers(gateway: Gateway, id_: str, at: datetime, body: str) -> dict[str, str]:
    """The headers of a message, with a signature by each key of the gateway."""
    signatures = " ".join(Webhook(key).sign(id_, at, body) for key in gateway.keys)
    return {ID: id_, TIMESTAMP: str(int(at.timestamp())), SIGNATURE: signatures}


def is_signed(gateway: Gateway, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether a message is signed with a key of the gateway, less than five minutes ago or ahead.

    Tries every key, and compares in constant time.
    """
    given = {name: headers.get(name, "") for name in (ID, TIMESTAMP, SIGNATURE)}
    verified = [_verifies(key, given, body) for key in gateway.keys]
    return any(verified)


def _verifies(key: str, headers: dict[str, str], body: bytes) -> bool:
    try:
        Webhook(key).verify(body, headers, json_parse=False)
    except (WebhookVerificationError, ValueError):
        return False
    return True
