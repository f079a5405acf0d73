"""Kafka's TLS server certificate for departments outside, and the private CA that signs it."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from deploy.security.files import replace_file

AUTHORITY_DAYS = 3_650
SERVER_DAYS = 800
RENEWED_DAYS_BEFORE = 60
CLOCKS_DIFFER = timedelta(hours=1)


@dataclass(frozen=True)
class Certificates:
    """The files in one folder. `authority` is public; `authority_key` and `server` are secret."""

    folder: Path

    @property
    def authority(self) -> Path:
        """The CA certificate; clients use it as their CA file."""
        return self.folder / "kafka-ca.pem"

    @property
    def authority_key(self) -> Path:
        """The CA's private key; with it one can impersonate the broker."""
        return self.folder / "kafka-ca.key"

    @property
    def server(self) -> Path:
        """The broker's private key and certificate chain, one PEM file."""
        return self.folder / "kafka-server.pem"

    def ensure(self, hosts: Sequence[str], days_before: int = RENEWED_DAYS_BEFORE) -> bool:
        """Create CA and server certificate if needed; returns whether a server certificate was issued.

        A certificate is replaced `days_before` its expiry, or when it does not cover `hosts`. The CA stays the same, so
        clients keep their CA file. Without `kafka-ca.key` the certificate is the operator's own and is not replaced.
        """
        if not self.authority.exists() and not self.server.exists():
            self._create_authority()
        if not self.authority_key.exists() or self._is_valid(set(hosts), days_before):
            return False
        self._issue(hosts)
        return True

    def _is_valid(self, hosts: set[str], days_before: int) -> bool:
        if not self.server.exists():
            return False
        current = x509.load_pem_x509_certificate(self.server.read_bytes())
        names = current.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        found = {str(name.value) for name in names}
        return hosts <= found and current.not_valid_after_utc > datetime.now(UTC) + timedelta(days=days_before)

    def _create_authority(self) -> None:
        key, name = ec.generate_private_key(ec.SECP256R1()), _name("Chorus Kafka authority")
        builder = _builder(name, name, key.public_key(), AUTHORITY_DAYS)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(self.authority_key, _pem(key), mode=0o600)
        replace_file(self.authority, builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode())

    def _issue(self, hosts: Sequence[str]) -> None:
        authority = x509.load_pem_x509_certificate(self.authority.read_bytes())
        signer = load_pem_private_key(self.authority_key.read_bytes(), None)
        assert isinstance(signer, ec.EllipticCurvePrivateKey)
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name("Chorus Kafka"), authority.subject, key.public_key(), SERVER_DAYS)
        for extension, critical in (
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (_usage(signs_certificates=False), True),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
            (x509.SubjectAlternativeName([_alternative(host) for host in hosts]), False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False),
        ):
            builder = builder.add_extension(extension, critical=critical)
        certificate = builder.sign(signer, hashes.SHA256()).public_bytes(Encoding.PEM).decode()
        replace_file(self.server, _pem(key) + certificate + self.authority.read_text("ascii"), mode=0o600)


def _name(words: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, words)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCKS_DIFFER)
        .not_valid_after(now + timedelta(days=days))
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(key: ec.EllipticCurvePrivateKey) -> str:
    # Kafka only reads PKCS #8 keys.
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
