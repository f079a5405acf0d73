"""Kafka connections from settings, and the errors for contradicting settings."""

import ssl
from pathlib import Path

import pytest

from shared.kafka.connection import Connection
from shared.runtime.settings import KafkaSecurity, Settings
from shared.store.login import store_login


@pytest.fixture
def password(tmp_path: Path) -> Path:
    """A password file."""
    file = tmp_path / "password"
    file.write_text("s3cret words\n")
    return file


@pytest.fixture
def authority() -> Path:
    """A file with CA certificates in PEM format."""
    found = ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt"
    if not Path(found).exists():
        pytest.skip("this system has no certificates")
    return Path(found)


def test_a_plaintext_broker_needs_only_its_address() -> None:
    connection = Connection.of(Settings(kafka="kafka:9092"))
    assert connection == Connection.of("kafka:9092")
    assert connection.aiokafka() == {"bootstrap_servers": "kafka:9092"}
    assert connection.confluent() == {"bootstrap.servers": "kafka:9092"}
    assert connection.faststream() is None


def test_the_login_is_converted_to_the_options_of_each_library(password: Path) -> None:
    settings = Settings(kafka_security="sasl_plaintext", kafka_user="intake", kafka_password_file=password)
    connection = Connection.of(settings)

    client = connection.aiokafka()
    assert (client["security_protocol"], client["sasl_mechanism"]) == ("SASL_PLAINTEXT", "SCRAM-SHA-512")
    assert (client["sasl_plain_username"], client["sasl_plain_password"]) == ("intake", "s3cret words")
    assert client["ssl_context"] is None
    assert connection.confluent()["sasl.password"] == "s3cret words"
    assert "ssl.ca.location" not in connection.confluent()
    assert connection.faststream() is not None
    assert "s3cret" not in repr(connection)


def test_with_tls_the_brokers_certificate_is_verified(password: Path, authority: Path) -> None:
    settings = Settings(
        kafka_security="sasl_ssl", kafka_user="intake", kafka_password_file=password, kafka_ca_file=authority
    )
    context = Connection.of(settings).aiokafka()["ssl_context"]
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
    assert Connection.of(settings).confluent()["ssl.ca.location"] == str(authority)
    assert Connection.of(settings).confluent()["security.protocol"] == "SASL_SSL"


@pytest.mark.parametrize(
    ("security", "given", "words"),
    [
        ("plaintext", {"kafka_user": "intake"}, "CHORUS_KAFKA_USER is 'intake'"),
        ("plaintext", {"kafka_password_file": Path("pw")}, "CHORUS_KAFKA_PASSWORD_FILE is 'pw'"),
        ("plaintext", {"kafka_ca_file": Path("ca.pem")}, "CHORUS_KAFKA_CA_FILE is 'ca.pem'"),
        ("sasl_ssl", {}, "CHORUS_KAFKA_USER is not set"),
        ("sasl_plaintext", {"kafka_user": "intake"}, "CHORUS_KAFKA_PASSWORD_FILE is not set"),
        ("sasl_plaintext", {"kafka_user": "intake", "kafka_password_file": Path("/nowhere")}, "cannot be read"),
        (
            "sasl_plaintext",
            {"kafka_user": "intake", "kafka_password_file": "password", "kafka_ca_file": Path("ca.pem")},
            "which uses no certificates",
        ),
        (
            "sasl_ssl",
            {"kafka_user": "intake", "kafka_password_file": "password", "kafka_ca_file": Path("/nowhere")},
            "'/nowhere', which cannot be read",
        ),
        (
            "sasl_ssl",
            {"kafka_user": "intake", "kafka_password_file": "password", "kafka_ca_file": "password"},
            "which contains no certificate",
        ),
    ],
)
def test_contradicting_settings_are_reported(
    security: KafkaSecurity, given: dict[str, Path | str], words: str, password: Path
) -> None:
    settings = {name: password if value == "password" else value for name, value in given.items()}
    with pytest.raises(ValueError, match="CHORUS_KAFKA") as refused:
        Connection.of(Settings(kafka_security=security, **settings))  # type: ignore[arg-type]
    assert words in str(refused.value)


@pytest.mark.parametrize(("content", "words"), [(b" \n", "is empty"), (b"\xff\xfe", "not UTF-8 text")])
def test_a_password_file_without_a_password_is_a_sentence(content: bytes, words: str, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=words):
        Connection.of(Settings(kafka_security="sasl_plaintext", kafka_user="intake", kafka_password_file=file))


def test_an_unknown_security_protocol_is_reported_with_the_valid_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHORUS_KAFKA_SECURITY", "kerberos")
    with pytest.raises(ValueError, match="'plaintext', 'sasl_ssl' or 'sasl_plaintext'"):
        Settings()


def test_the_stores_user_requires_a_password_and_vice_versa(password: Path) -> None:
    assert store_login(Settings()) == {}
    told = store_login(Settings(mongodb_user="intake", mongodb_password_file=password))
    assert told == {"username": "intake", "password": "s3cret words", "authSource": "admin"}

    with pytest.raises(ValueError, match="CHORUS_MONGODB_PASSWORD_FILE is not set"):
        store_login(Settings(mongodb_user="intake"))
    with pytest.raises(ValueError, match="CHORUS_MONGODB_USER is not set"):
        store_login(Settings(mongodb_password_file=password))
    with pytest.raises(ValueError, match="CHORUS_MONGODB_PASSWORD_FILE names '/nowhere', which cannot be read"):
        store_login(Settings(mongodb_user="intake", mongodb_password_file=Path("/nowhere")))
