"""The settings of a service, read from environment variables at start; secrets come from files."""

from email.utils import parseaddr
from ipaddress import ip_network
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

DEFAULT_ZONE = ZoneInfo("Asia/Shanghai")
"""The time zone when neither the setting nor the city names one."""
KafkaSecurity = Literal["plaintext", "sasl_ssl", "sasl_plaintext"]


class Settings(BaseSettings):
    """Settings of one service process; each environment variable is `CHORUS_` and the field's name in capitals."""

    model_config = SettingsConfigDict(env_prefix="CHORUS_", extra="ignore", frozen=True)

    http: str = "127.0.0.1:8000"
    kafka: str = "127.0.0.1:9092"
    kafka_security: KafkaSecurity = "plaintext"
    kafka_user: str | None = None
    kafka_password_file: Path | None = None
    kafka_ca_file: Path | None = None
    kafka_users: Path | None = None
    mongodb: str = "mongodb://127.0.0.1:27017"
    mongodb_user: str | None = None
    mongodb_password_file: Path | None = None
    smtp: str = "127.0.0.1:8025"
    mail_from: str = "chorus@city.example"
    mail_reply_to: str | None = None
    mail_confirm: bool = True
    mail_per_address_per_hour: int = Field(5, ge=0)
    public_url: str = "http://127.0.0.1:8001"
    hall_url: str = "http://127.0.0.1:8003"
    scoreboard_url: str = "http://127.0.0.1:8004"
    secret_file: Path | None = None
    operator_token_file: Path | None = None
    instance: str | None = Field(None, pattern=r"^[A-Za-z0-9._-]{1,100}$")
    data: Path | None = None
    time_zone: str | None = None
    partitions: int = Field(6, ge=1)
    replication: int = Field(1, ge=1)
    retention_days: int = Field(90, ge=1)
    backups_kept_days: int = Field(30, ge=0)
    messages_kept_hours: int = Field(24, ge=1)
    submissions_per_minute: int = Field(60, ge=0)
    trusted_proxies: str = ""
    log: Literal["text", "json"] = "text"

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        try:
            ZoneInfo(name or "UTC")
        except (KeyError, ValueError, OSError) as unknown:
            raise ValueError(f"{name!r} is not a time zone; write an IANA name such as Asia/Shanghai") from unknown
        return name

    @field_validator("mail_reply_to", mode="before")
    @classmethod
    def _blank_is_none(cls, given: str | None) -> str | None:
        return given or None

    @field_validator("mail_from", "mail_reply_to")
    @classmethod
    def _one_address(cls, given: str | None) -> str | None:
        if given is None:
            return None
        name, _, domain = parseaddr(given)[1].rpartition("@")
        if not name or not domain or "=?" in given:
            raise ValueError(f"{given!r} is not an e-mail address; write one such as chorus@city.example")
        return given

    @field_validator("trusted_proxies")
    @classmethod
    def _addresses(cls, given: str) -> str:
        for one in given.split(",") if given not in ("", "*") else ():
            try:
                ip_network(one.strip())
            except ValueError as wrong:
                raise ValueError(
                    f"{one.strip()!r} is not an IP address or network; write a list such as 10.0.0.7,172.20.0.0/16, "
                    "or * if only the proxy can reach this process"
                ) from wrong
        return given

    def zone(self, city: str | None) -> ZoneInfo:
        """The zone of ticket numbers, scoreboard periods and due times: the setting, else the city's own."""
        return ZoneInfo(name) if (name := self.time_zone or city) else DEFAULT_ZONE

    @property
    def address(self) -> tuple[str, int]:
        """The host and port on which this process listens."""
        host, _, port = self.http.rpartition(":")
        return host, int(port)


def secret(path: Path | None, setting: str) -> bytes:
    """Read a secret file without surrounding white space. Raises ValueError with a sentence when it is missing or weak."""
    if path is None:
        raise ValueError(f"{setting} is not set; set it to a file with at least 32 random characters")
    try:
        content = path.read_bytes().strip()
    except OSError as error:
        raise ValueError(f"{setting} names {str(path)!r}, which cannot be read: {error.strerror}") from error
    if len(content) < 32:
        raise ValueError(f"{setting} names {str(path)!r}, which has fewer than 32 characters; create a longer secret")
    return content
