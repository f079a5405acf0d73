"""`chorus timeline`: the details of a fact as operators read them."""

from deploy.cli.operations.timeline import details


def test_truth_values_are_words_and_a_no_is_shown() -> None:
    fact = {"data": {"actor": {"kind": "resident"}, "solved": False, "satisfied": "no", "round": 1, "area": None}}
    assert details(fact) == "by resident, solved no, satisfied no"
    fact = {"data": {"actor": {"kind": "staff", "role": "clerk"}, "public": True, "body": {"sha256": "ab"}}}
    assert details(fact) == "by staff/clerk, public yes"
