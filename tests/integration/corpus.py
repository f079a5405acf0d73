"""The poison corpus: how the files in `tests/poison` change a valid record, and how to write any record."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from confluent_kafka import Producer

from tests.patience import PATIENCE_S

POISON = Path(__file__).parents[1] / "poison"
Headers = Mapping[str, bytes | None]


@dataclass(frozen=True)
class Sample:
    """One record; `about` is the inquiry or text by which its effect is found."""

    about: str
    key: bytes | None
    value: bytes | None
    headers: Headers
    id_field: str = "inquiry_id"
    raw_header_name: bool = False


@dataclass(frozen=True)
class Case:
    """One file of the corpus; `ends` is the outcome of the record for each of its readers."""

    name: str
    change: Mapping[str, Any]
    ends: Mapping[str, str]

    def spoilt(self, good: Sample, before: Sample) -> Sample:
        """The valid record with the changes of the file; `before` is the record written before it."""
        sample = good
        for name, given in self.change.items():
            sample = CHANGES[name](sample, given, before)
        return sample


def corpus() -> list[Case]:
    """Every case by name."""
    read = [(path.stem, yaml.safe_load(path.read_text(encoding="utf-8"))) for path in sorted(POISON.glob("*.yaml"))]
    return [Case(name, about["change"], about["ends"]) for name, about in read]


def as_bytes(given: Any) -> bytes | None:
    """Bytes in the notation of the files: null, plain text, `{text}`, `{base64}` or `{repeat, times}`."""
    if not isinstance(given, dict):
        return None if given is None else str(given).encode()
    if "base64" in given:
        return base64.b64decode(given["base64"])
    if "repeat" in given:
        return str(given["repeat"]).encode() * int(given["times"])
    return str(given["text"]).encode()


def with_fields(sample: Sample, **fields: Any) -> Sample:
    """The record with these fields in its value."""
    return replace(sample, value=json.dumps(json.loads(sample.value or b"") | fields, ensure_ascii=False).encode())


def _value(sample: Sample, given: Any, before: Sample) -> Sample:
    return replace(sample, value=as_bytes(given))


def _headers(sample: Sample, given: Any, before: Sample) -> Sample:
    return replace(sample, headers={**sample.headers, **{name: as_bytes(value) for name, value in given.items()}})


def _drop(sample: Sample, given: Any, before: Sample) -> Sample:
    kept = {name: value for name, value in sample.headers.items() if given != "all" and name not in given}
    return replace(sample, headers=kept)


def _cut(sample: Sample, given: Any, before: Sample) -> Sample:
    value = sample.value or b""
    return replace(sample, value=value[: int(len(value) * given)])


def _insert(sample: Sample, given: Any, before: Sample) -> Sample:
    value = sample.value or b""
    return replace(sample, value=value[:2] + (as_bytes(given) or b"") + value[2:])


def _nest(sample: Sample, given: Any, before: Sample) -> Sample:
    return replace(sample, value=(sample.value or b"")[:-1] + b', "nested": ' + b"[" * given + b"]" * given + b"}")


def _field_as_written(sample: Sample, given: Any, before: Sample) -> Sample:
    return replace(sample, value=(sample.value or b"")[:-1] + f', "tomorrow": {given}}}'.encode())


def _double_id(sample: Sample, given: Any, before: Sample) -> Sample:
    return replace(sample, value=f'{{"{sample.id_field}": "{given}", '.encode() + (sample.value or b"")[1:])


def _suffix_type(sample: Sample, given: Any, before: Sample) -> Sample:
    return replace(
        sample, headers={**sample.headers, "ce_type": (sample.headers["ce_type"] or b"") + str(given).encode()}
    )


def _id_of_the_one_before(sample: Sample, given: Any, before: Sample) -> Sample:
    return with_fields(before, text="Other words.", subject="Another subject.")


def _structured(sample: Sample, given: Any, before: Sample) -> Sample:
    about = {name.removeprefix("ce_"): (value or b"").decode() for name, value in sample.headers.items()}
    event = {name: about[name] for name in ("id", "type", "source")} | {"specversion": "1.0"}
    value = json.dumps(event | {"data": json.loads(sample.value or b"")}, ensure_ascii=False).encode()
    return replace(sample, value=value, headers={"content-type": b"application/cloudevents+json; charset=utf-8"})


CHANGES: Mapping[str, Any] = {
    "value": _value,
    "headers": _headers,
    "drop": _drop,
    "cut": _cut,
    "insert": _insert,
    "nest": _nest,
    "field_as_written": _field_as_written,
    "double_id": _double_id,
    "suffix_type": _suffix_type,
    "id_of_the_one_before": _id_of_the_one_before,
    "structured": _structured,
    "key": lambda sample, given, before: replace(sample, key=as_bytes(given)),
    "id_field": lambda sample, given, before: with_fields(sample, **{sample.id_field: given}),
    "set": lambda sample, given, before: with_fields(sample, **given),
    "fill": lambda sample, given, before: with_fields(sample, filler="a" * given),
    "raw_header_name": lambda sample, given, before: replace(sample, raw_header_name=True),
}


async def write(kafka: str, topic: str, samples: Sequence[Sample]) -> list[int]:
    """Write records to one partition in order; returns their offsets."""
    offsets: list[int] = []
    producer = Producer(
        {
            "bootstrap.servers": kafka,
            "acks": "all",
            "compression.type": "gzip",
            "linger.ms": 0,
            "message.max.bytes": 20_000_000,
        }
    )

    def note(error: object, message: Any) -> None:
        assert error is None, error
        offsets.append(message.offset())

    for sample in samples:
        if sample.raw_header_name:
            assert producer.flush(PATIENCE_S) == 0
            offsets.append(await write_header_name(kafka, topic, b"\xff\xfe"))
        else:
            producer.produce(topic, sample.value, sample.key, 0, headers=list(sample.headers.items()), on_delivery=note)
    assert producer.flush(PATIENCE_S) == 0
    return offsets


async def write_header_name(kafka: str, topic: str, name: bytes, key: bytes = b"k") -> int:
    """Write a record with a header name that is not UTF-8, which aiokafka cannot read."""

    class Name(str):
        def encode(self, *_: object) -> bytes:
            return name

    producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all")
    await producer.start()
    try:
        batch = producer.create_batch()
        batch._builder = _DefaultRecordBatchBuilderPy(2, 0, 0, -1, -1, -1, 16_384)
        assert batch.append(key=key, value=b"{}", timestamp=None, headers=[(Name("x"), b"1")])
        written = await (await producer.send_batch(batch, topic, partition=0))
        return int(written.offset)
    finally:
        await producer.stop()
