"""The auditor: a correct capture has no findings, and every planted fault has the expected one."""

import ast
from dataclasses import replace
from pathlib import Path

import pytest

from tests.chaos import sample
from tests.chaos.audit.auditor import audit
from tests.chaos.audit.capture import INPUTS, RESIDENTS
from tests.chaos.forgeries import FORGERIES, forged
from tests.chaos.plants import FAULTS, Fault, the, with_more, without
from tests.chaos.sample import renamed

HERE = Path(__file__).parent


def test_a_correct_capture_has_no_findings() -> None:
    found = audit(sample.clean())
    assert [str(one) for one in found.found] == []
    assert found.repeated.total() == 0


@pytest.mark.parametrize("fault", [*FAULTS, *FORGERIES], ids=lambda fault: fault.__name__)
def test_every_planted_fault_is_found(fault: Fault) -> None:
    kind, words = (FAULTS | FORGERIES)[fault]
    found = [str(one) for one in audit(fault(sample.clean())).found]
    assert any(one.startswith(kind) and words in one for one in found), found


def test_a_repeated_id_is_counted_and_is_no_finding() -> None:
    capture = sample.clean()
    capture = replace(with_more(capture, *map(replace, capture.records)), mails=[*capture.mails, capture.mails[0]])
    found = audit(capture)
    assert found.clean, [str(one) for one in found.found]
    assert found.repeated["mails"] == 1
    assert found.repeated.total() == len(sample.clean().records) + 1


def test_an_input_accepted_twice_is_no_finding() -> None:
    capture = sample.clean()
    again = replace(renamed(the(capture, INPUTS, "part.replied"), ce_salt="0" * 64), offset=99)
    found = audit(with_more(capture, again))
    assert found.clean, [str(one) for one in found.found]
    assert +found.repeated == {INPUTS: 1}


def test_a_forgery_is_the_only_finding() -> None:
    found = audit(forged(sample.clean(), 5, lambda fact: {}))
    assert found.clean, [str(one) for one in found.found]
    found = audit(forged(sample.clean(), 5, lambda fact: {"text": "正在核实。"}))
    assert {one.words.split(" has ")[1] for one in found.found} == {"free text in text: '正在核实。'"}


def test_effects_explained_by_a_dead_letter_are_excused() -> None:
    capture = sample.clean()
    gone = the(capture, RESIDENTS, "resident.told", what="replied")
    letter = replace(renamed(gone, dl_reason="It cannot be read.", dl_kind="permanent"), topic="router.dead-letters")
    found = audit(with_more(without(capture, gone), letter))
    assert found.count("lost") == 0
    assert found.excused


def test_the_auditor_imports_nothing_from_the_product() -> None:
    for file in [*(HERE / "audit").glob("*.py"), HERE / "gather.py"]:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.split(".")[0] in ("services", "shared", "deploy") for name in names), file
