"""The desk's reading of a city or a department as it is sent: everything that is wrong with it, field by field."""

from shared.city import City, CityError, Department, Fault, Faulty, Loc, city_of, department_of
from shared.contracts.ids import DEPARTMENT_CODE
from shared.http.problems import FieldProblem, Problem, pointer, shown
from shared.http.request_body import json_document


def city_sent(body: bytes) -> City:
    """The city in a body. Raises Problem 422 with a sentence and a pointer for each of its faults."""
    given = json_document(body)
    try:
        return city_of(given)
    except Faulty as error:
        raise refused([(fault, fault.sentence(given)) for fault in error.faults]) from error


def department_sent(code: str, body: bytes) -> Department:
    """The department in a body, its code from the address. Raises Problem 422."""
    if not DEPARTMENT_CODE.fullmatch(code):
        raise Problem(422, f"{shown(code)} is no department code; write one like water-supply (a-z, 0-9 and -).")
    try:
        return department_of(code, json_document(body))
    except Faulty as error:
        raise refused([(fault, fault.sentence(None)) for fault in error.faults]) from error


def contradictory(error: CityError, current: City | None, sent: City | Department | None) -> Problem:
    """422 for what would not agree with the departments in force; pointers are into the body that was sent."""
    told = [
        (Fault(_in_body(fault.loc, current, sent), fault.says), sentence)
        for fault, sentence in zip(error.faults, error.problems, strict=False)
    ]
    return refused(told)


def _in_body(loc: Loc, current: City | None, sent: City | Department | None) -> Loc:
    """A place in the city as it would be, as a place in the body: the body itself when it stands in a kept department."""
    if sent is None or loc[0] != "departments":
        return loc
    given = [sent.code] if isinstance(sent, Department) else [one.code for one in sent.departments]
    kept = [one.code for one in current.departments] if current else []
    code = list(dict.fromkeys([*kept, *given]))[int(loc[1])]
    if code not in given:
        return ()
    return loc[2:] if isinstance(sent, Department) else ("departments", given.index(code), *loc[2:])


def refused(faults: list[tuple[Fault, str]]) -> Problem:
    """422 with all of them."""
    problems = [FieldProblem(pointer=pointer(fault.loc), detail=sentence[:-1]) for fault, sentence in faults]
    more = f" And {len(problems) - 5} more." if len(problems) > 5 else ""
    return Problem(422, " ".join(sentence for _, sentence in faults[:5]) + more, problems)
