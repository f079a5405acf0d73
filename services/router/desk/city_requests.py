"""Parses the body of a city, a department or a text module. A 422 answer lists every error with a pointer to its field."""

from shared.city import City, CityError, Department, Fault, Faulty, Loc, TextModule, city_of, department_of, text_of
from shared.contracts.ids import DEPARTMENT_CODE
from shared.http.problems import FieldProblem, Problem, pointer, shown
from shared.http.request_body import json_document

FAULTS_IN_DETAIL = 5
Sent = City | Department | TextModule


def city_sent(body: bytes) -> City:
    """The city in a body. Raises Problem 422 with a sentence and a pointer for each of its faults."""
    given = json_document(body)
    try:
        return city_of(given)
    except Faulty as error:
        raise refused([(fault, fault.sentence(given)) for fault in error.faults]) from error


def department_sent(code: str, body: bytes) -> Department:
    """The department in a body, with the code from the path. Raises Problem 422."""
    if not DEPARTMENT_CODE.fullmatch(code):
        raise Problem(422, f"{shown(code)} is not a department code; write one like water-supply (a-z, 0-9 and -).")
    try:
        return department_of(code, json_document(body))
    except Faulty as error:
        raise refused([(fault, fault.sentence(None)) for fault in error.faults]) from error


def text_sent(code: str, id_: str, body: bytes) -> TextModule:
    """The text module in a body, with the department and the id from the path. Raises Problem 422."""
    try:
        return text_of(code, id_, json_document(body))
    except Faulty as error:
        raise refused([(fault, fault.sentence(None)) for fault in error.faults]) from error


def contradictory(error: CityError, current: City | None, sent: Sent | None) -> Problem:
    """The 422 answer when `sent` contradicts departments of the current city. Its pointers are into the body."""
    faults = [
        (Fault(_in_body(fault.loc, current, sent), fault.says), sentence)
        for fault, sentence in zip(error.faults, error.problems, strict=False)
    ]
    return refused(faults)


def _in_body(loc: Loc, current: City | None, sent: Sent | None) -> Loc:
    """Translate a place in the merged city to a place in the body: `()`, the whole body, when the body has no such place."""
    if isinstance(sent, TextModule):
        # A fault in another place of the city is not one of this body.
        return loc[2:] if loc[0] == "texts" else ()
    if sent is None or not loc or loc[0] != "departments":
        return loc
    sent_codes = [sent.code] if isinstance(sent, Department) else [one.code for one in sent.departments]
    current_codes = [one.code for one in current.departments] if current else []
    code = list(dict.fromkeys([*current_codes, *sent_codes]))[int(loc[1])]
    if code not in sent_codes:
        return ()
    return loc[2:] if isinstance(sent, Department) else ("departments", sent_codes.index(code), *loc[2:])


def refused(faults: list[tuple[Fault, str]]) -> Problem:
    """The 422 answer with all errors; its `detail` has the first FAULTS_IN_DETAIL sentences."""
    problems = [FieldProblem(pointer=pointer(fault.loc), detail=sentence[:-1]) for fault, sentence in faults]
    more = f" And {len(problems) - FAULTS_IN_DETAIL} more." if len(problems) > FAULTS_IN_DETAIL else ""
    return Problem(422, " ".join(sentence for _, sentence in faults[:FAULTS_IN_DETAIL]) + more, problems)
