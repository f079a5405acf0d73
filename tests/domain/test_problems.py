"""Error messages of HTTP requests: each quotes the value, shortens long ones, and points to the field."""

import logging
from typing import Annotated, Literal

import pytest
from aiokafka.errors import KafkaConnectionError
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from shared.http.problems import MEDIA_TYPE, Problem, field_problems, install, invalid, name_of, pointer, shown
from shared.store.mongo import PyMongoError


class Form(BaseModel):
    """A model with one field of each kind."""

    model_config = ConfigDict(extra="forbid")
    number: Annotated[int, Field(ge=1, le=9)] = 1
    letter: Literal["a", "b"] = "a"
    code: Annotated[str, Field(pattern="^[a-z]+$", max_length=5)] = "a"
    when: float = 0.0
    rows: tuple["Form", ...] = ()

    @field_validator("code")
    @classmethod
    def _not_bad(cls, code: str) -> str:
        if code == "bad":
            raise ValueError("is bad; be good")
        return code


@pytest.mark.parametrize(
    ("given", "where", "detail"),
    [
        ({"number": "x"}, "/number", "number 'x' is not a whole number; write one such as 1"),
        ({"number": 1.5}, "/number", "number 1.5 is not a whole number; write one such as 1"),
        ({"number": 0}, "/number", "number 0 is too small; write at least 1"),
        ({"number": 10}, "/number", "number 10 is too large; write at most 9"),
        ({"letter": "c"}, "/letter", "letter 'c' is not one of 'a' or 'b'"),
        ({"code": "A"}, "/code", "code 'A' does not match the pattern ^[a-z]+$"),
        ({"code": "abcdef"}, "/code", "code has 6 characters; write at most 5"),
        ({"code": "bad"}, "/code", "code 'bad' is bad; be good"),
        ({"rows": {"a": 1}}, "/rows", "rows {'a': 1} is not a list; write it in brackets, [like, this]"),
        ({"rows": [{"number": 0}]}, "/rows/0/number", "rows[0].number 0 is too small; write at least 1"),
        ({"a/b~c": 1}, "/a~1b~0c", "a/b~c 1 is in an unknown field; leave the field out"),
        ({"when": "soon"}, "/when", "when 'soon' is wrong: input should be a valid number"),
        ([], "", "the body [] is not an object"),
    ],
)
def test_each_kind_of_error_has_its_message(given: object, where: str, detail: str) -> None:
    with pytest.raises(ValidationError) as told:
        Form.model_validate(given)
    [one] = field_problems(told.value)
    assert (one.pointer, one.detail[: len(detail)]) == (where, detail)


def test_a_long_value_is_shortened() -> None:
    assert shown("x" * 10_000) == f"'{'x' * 59}… (10002 characters)"
    assert len(shown(["y"] * 10_000)) < 100


def test_the_detail_has_five_errors_and_the_list_all() -> None:
    with pytest.raises(ValidationError) as told:
        Form.model_validate({"rows": [{"number": 0}] * 7})
    problem = invalid(told.value)
    assert (problem.status, problem.detail.count(";"), len(problem.errors)) == (422, 9, 7)
    assert problem.detail.endswith("write at least 1.")


def test_a_problem_is_returned_as_problem_json() -> None:
    response = Problem(429, "Too many.", headers={"Retry-After": "5"}).response()
    assert response.status_code == 429
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["retry-after"] == "5"
    assert bytes(response.body) == (
        b'{"type":"about:blank","title":"Too Many Requests","status":429,"detail":"Too many.","errors":[]}'
    )


def test_fields_are_named_as_text_and_as_json_pointer() -> None:
    assert (name_of(("contact", "email")), pointer(("contact", "email"))) == ("contact.email", "/contact/email")
    assert (name_of(("departments", 2)), pointer(("departments", 2))) == ("departments[2]", "/departments/2")


def test_lone_surrogates_and_infinite_numbers_are_reported() -> None:
    assert shown("\ud800") == "'\\ud800'"
    assert shown({"a": 10**5_000}) == "a number of thousands of digits"
    for given in ({"\ud800": 1}, {"letter": "\ud800"}, {"number": "\ud800"}, {"when": ["\ud800"]}, {"code": "\ud800"}):
        with pytest.raises(ValidationError) as told:
            Form.model_validate(given)
        assert b"ud800" in bytes(invalid(told.value).response().body)
    assert b"ud800" in bytes(Problem(404, "There is no \ud800.").response().body)


def test_a_number_with_thousands_of_digits_is_rejected() -> None:
    with pytest.raises(ValidationError) as told:
        Form.model_validate_json(b'{"number": ' + b"9" * 5_000 + b"}")
    assert invalid(told.value).status == 422


class Refusing(PyMongoError):
    """A store error that quotes its input, as the driver's errors do."""

    code = 91


@pytest.fixture
def app() -> FastAPI:
    one = FastAPI()
    install(one)

    @one.get("/store")
    async def store() -> None:
        raise Refusing("writeErrors: [{op: {body: '路灯🔒', phone: '13900000000'}}]")

    @one.get("/kafka")
    async def kafka() -> None:
        raise KafkaConnectionError("127.0.0.1:9092 is gone")

    return one


@pytest.mark.parametrize(
    ("path", "words"), [("/store", "The store is unavailable"), ("/kafka", "Kafka is unavailable")]
)
async def test_an_unavailable_dependency_is_503_and_the_log_has_only_the_error_type(
    app: FastAPI, caplog: pytest.LogCaptureFixture, path: str, words: str
) -> None:
    caplog.set_level(logging.DEBUG, "chorus")
    async with AsyncClient(transport=ASGITransport(app), base_url="http://city.example") as http:
        answer = await http.get(path)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert answer.json()["detail"] == f"{words}; try again in a moment."
    [logged] = [vars(one) for one in caplog.records if one.name == "chorus"]
    assert logged["error"] in ("Refusing", "KafkaConnectionError")
    assert "🔒" not in f"{logged}"
