"""What the hall may not show: telephone, identity, passport and card numbers, addresses, account names and the writer's name."""

from collections.abc import Sequence

MARK = "＊＊＊"


def mask(text: str, names: Sequence[str] = ()) -> str:
    """The text with everything that leads to a person replaced by one constant mark; `names` are the writer's.

    Masking what is masked changes nothing. Time grows with the length of the text and nothing else.
    """
    return text
