"""The Kafka connection: read from the settings once, and translated for each client library."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

from faststream.security import BaseSecurity, SASLScram512

from shared.runtime.passwords import password
from shared.runtime.settings import KafkaSecurity, Settings

MECHANISM = "SCRAM-SHA-512"
READ_COMMITTED: Literal["read_committed"] = "read_committed"
"""The isolation level of every consumer: records of open and aborted transactions are not read."""


@dataclass(frozen=True)
class Connection:
    """Bootstrap servers and login. Without `ca_file`, certificates are checked against the system's authorities."""

    kafka: str
    security: KafkaSecurity = "plaintext"
    user: str | None = None
    password: str = field(default="", repr=False)
    ca_file: Path | None = None

    @classmethod
    def of(cls, given: "Connection | Settings | str") -> "Connection":
        """A connection from a connection, from settings, or from the bootstrap servers of a broker without login.

        Raises ValueError with a sentence when the settings contradict each other or name an unusable file.
        """
        if isinstance(given, Settings):
            return cls.from_settings(given)
        return cls(given) if isinstance(given, str) else given

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        if settings.kafka_security == "plaintext":
            _refuse_login_settings(settings)
            return cls(settings.kafka)
        if settings.kafka_user is None:
            raise ValueError(
                f"CHORUS_KAFKA_SECURITY is {settings.kafka_security!r} and CHORUS_KAFKA_USER is not set; set the user"
            )
        if settings.kafka_security == "sasl_plaintext" and settings.kafka_ca_file is not None:
            raise ValueError(
                f"CHORUS_KAFKA_CA_FILE is {str(settings.kafka_ca_file)!r} and CHORUS_KAFKA_SECURITY is 'sasl_plaintext', "
                "which uses no certificates; use sasl_ssl, or remove CHORUS_KAFKA_CA_FILE"
            )
        connection = cls(
            settings.kafka,
            settings.kafka_security,
            settings.kafka_user,
            password(settings.kafka_password_file, settings.kafka_user),
            settings.kafka_ca_file,
        )
        connection.ssl_context()
        return connection

    def ssl_context(self) -> ssl.SSLContext | None:
        """The TLS context for `sasl_ssl`, else None. Raises ValueError with a sentence when `ca_file` is unusable."""
        if self.security != "sasl_ssl":
            return None
        try:
            return ssl.create_default_context(cafile=str(self.ca_file) if self.ca_file else None)
        except ssl.SSLError as error:
            raise ValueError(
                f"CHORUS_KAFKA_CA_FILE names {str(self.ca_file)!r}, which contains no certificate; use a file in PEM format"
            ) from error
        except OSError as error:
            raise ValueError(
                f"CHORUS_KAFKA_CA_FILE names {str(self.ca_file)!r}, which cannot be read: {error.strerror}"
            ) from error

    def aiokafka(self) -> dict[str, Any]:
        """Keyword arguments of aiokafka's clients."""
        if self.security == "plaintext":
            return {"bootstrap_servers": self.kafka}
        return {
            "bootstrap_servers": self.kafka,
            "security_protocol": self.security.upper(),
            "sasl_mechanism": MECHANISM,
            "sasl_plain_username": self.user,
            "sasl_plain_password": self.password,
            "ssl_context": self.ssl_context(),
        }

    def consumer(self) -> dict[str, Any]:
        """Keyword arguments of aiokafka's consumers: those of its clients, and the isolation level."""
        return {**self.aiokafka(), "isolation_level": READ_COMMITTED}

    def faststream(self) -> BaseSecurity | None:
        """The argument `security` of FastStream's broker."""
        if self.user is None:
            return None
        return SASLScram512(self.user, self.password, ssl_context=self.ssl_context())

    def confluent(self) -> dict[str, Any]:
        """Settings of confluent-kafka's clients."""
        if self.security == "plaintext":
            return {"bootstrap.servers": self.kafka}
        return {
            "bootstrap.servers": self.kafka,
            "security.protocol": self.security.upper(),
            "sasl.mechanism": MECHANISM,
            "sasl.username": self.user,
            "sasl.password": self.password,
        } | ({"ssl.ca.location": str(self.ca_file)} if self.ca_file else {})


def _refuse_login_settings(settings: Settings) -> None:
    for name in ("kafka_user", "kafka_password_file", "kafka_ca_file"):
        if (value := getattr(settings, name)) is not None:
            raise ValueError(
                f"CHORUS_{name.upper()} is {str(value)!r} and CHORUS_KAFKA_SECURITY is 'plaintext', which uses no login; "
                f"use sasl_ssl or sasl_plaintext, or remove CHORUS_{name.upper()}"
            )
