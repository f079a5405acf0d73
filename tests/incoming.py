"""Mails of residents for tests, with real DKIM signatures."""

import base64
from collections.abc import Mapping
from email.message import EmailMessage
from email.policy import SMTP
from functools import cache

import dkim
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

BOX = "chorus@city.example"
RESIDENT = "writer@mail.example"


def a_mail(text: str = "门口的路灯坏了三天。", **headers: str) -> EmailMessage:
    """A mail of a resident; a header that is empty is left out."""
    made = EmailMessage(SMTP)
    given = {"From": f"陈测试 <{RESIDENT}>", "To": BOX, "Subject": "路灯不亮", "Message-ID": "<m1@mail.example>"}
    for name, value in {**given, **{name.replace("_", "-"): one for name, one in headers.items()}}.items():
        if value:
            made[name] = value
    made.set_content(text)
    return made


@cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def signed(mail: EmailMessage, domain: str = "mail.example", **how: bool) -> bytes:
    """The mail with a DKIM signature of this domain."""
    pem = _key().private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    content = mail.as_bytes()
    signature: bytes = dkim.sign(content, b"s1", domain.encode(), pem, **how)
    return signature + content


def record() -> bytes:
    """The TXT record of every domain in these tests."""
    der = _key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return b"v=DKIM1; k=rsa; p=" + base64.b64encode(der)


class FakeDns:
    """Knows the key of each domain, or does not answer; counts what it is asked."""

    def __init__(self, answers: Mapping[str, bytes] | None = None, error: Exception | None = None) -> None:
        self.asked: list[str] = []
        self.answers, self.error = answers, error

    def __call__(self, name: bytes | str, timeout: float = 3) -> bytes | None:
        asked = name.decode() if isinstance(name, bytes) else name
        self.asked.append(asked)
        if self.error is not None:
            raise self.error
        return record() if self.answers is None else self.answers.get(asked)
