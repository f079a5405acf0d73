"""How a client reaches Kafka: read from the settings once, told to each library in its own words."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

from faststream.security import BaseSecurity, SASLScram512

from shared.runtime.passwords import password
from shared.runtime.settings import KafkaSecurity, Settings

MECHANISM = "SCRAM-SHA-512"
READ_COMMITTED: Literal["read_committed"] = "read_committed"
"""Nobody reads what a transaction has not committed, or has taken back."""


@dataclass(frozen=True)
class Connection:
    """Bootstrap servers, and who calls; without `ca_file` a certificate is checked against the system's authorities."""

    kafka: str
    security: KafkaSecurity = "plaintext"
    user: str | None = None
    password: str = field(default="", repr=False)
    ca_file: Path | None = None

    @classmethod
    def of(cls, given: "Connection | Settings | str") -> "Connection":
        """The connection itself, the one that settings describe, or that of an open broker.

        Raises ValueError with a sentence when the settings contradict each other or name a file that cannot be used.
        """
        if isinstance(given, Settings):
            return cls.from_settings(given)
        return cls(given) if isinstance(given, str) else given

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """What `CHORUS_KAFKA…` says."""
        if settings.kafka_security == "plaintext":
            _refuse_without_users(settings)
            return cls(settings.kafka)
        if settings.kafka_user is None:
            raise ValueError(
                f"CHORUS_KAFKA_SECURITY is {settings.kafka_security!r} and CHORUS_KAFKA_USER is not set; name the user"
            )
        if settings.kafka_security == "sasl_plaintext" and settings.kafka_ca_file is not None:
            raise ValueError(
                f"CHORUS_KAFKA_CA_FILE is {str(settings.kafka_ca_file)!r} and CHORUS_KAFKA_SECURITY is 'sasl_plaintext', "
                "which has no certificates; set it to sasl_ssl, or leave the file out"
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
        """For `sasl_ssl`; raises ValueError with a sentence when the authority's file cannot be used."""
        if self.security != "sasl_ssl":
            return None
        try:
            return ssl.create_default_context(cafile=str(self.ca_file) if self.ca_file else None)
        except ssl.SSLError as error:
            raise ValueError(
                f"CHORUS_KAFKA_CA_FILE names {str(self.ca_file)!r}, which holds no certificate; give a file in PEM format"
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
        """Keyword arguments of aiokafka's consumers."""
        return {**self.aiokafka(), "isolation_level": READ_COMMITTED}

    def faststream(self) -> BaseSecurity | None:
        """What FastStream's broker takes as `security`."""
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


def _refuse_without_users(settings: Settings) -> None:
    for name in ("kafka_user", "kafka_password_file", "kafka_ca_file"):
        if (value := getattr(settings, name)) is not None:
            raise ValueError(
                f"CHORUS_{name.upper()} is {str(value)!r} and CHORUS_KAFKA_SECURITY is 'plaintext', which has no users; "
                "set it to sasl_ssl or sasl_plaintext, or leave the other out"
            )
