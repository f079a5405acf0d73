"""What a gateway may send: a new message of a resident, or something about one that the same account has sent before."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ConfigDict, field_validator

from services.intake.domain import Account, AdditionGiven, RatingGiven, Submission, WithdrawalGiven
from shared.contracts.documented import Documented
from shared.contracts.fields import no_nul

NOT_FROM_GATEWAYS = frozenset({"channel", "entered_by", "refers_to", "files"})
"""What the signature proves instead of the body, and what only staff may say."""


def _without_the_others(schema: dict[str, Any]) -> None:
    for name in NOT_FROM_GATEWAYS:
        schema["properties"].pop(name)


class ChannelInquiry(Submission):
    """A new message of a resident."""

    model_config = ConfigDict(frozen=True, extra="ignore", json_schema_extra=_without_the_others)
    type: Literal["inquiry"]
    """The kind of the message, `inquiry`."""
    account: Account
    """The resident's account at the channel, 1 to 200 characters. News goes back there. Chorus compares it and does not
    read anything else in it."""
    external_id: str | None = Submission.model_fields["external_id"].default
    """The message's id at the channel, at most 200 characters. A message with the same one is a repeat."""

    def submission(self, channel: str) -> Submission:
        """The message as intake takes it: the channel is the one whose gateway has signed it."""
        given = self.model_dump(exclude={"type", *NOT_FROM_GATEWAYS})
        return Submission(**given, channel=channel)


class AboutTicket(Documented):
    """What a message about a ticket begins with."""

    inquiry_id: str
    """The ticket number, as the answer to the new message gave it."""
    account: Account
    """The account that sent the new message."""

    _no_nul_about = field_validator("inquiry_id", "account")(no_nul)


class ChannelAddition(AboutTicket, AdditionGiven):
    """The resident adds words to a message, or answers a question."""

    type: Literal["addition"]
    """The kind of the message, `addition`."""

    def given(self) -> AdditionGiven:
        return AdditionGiven(text=self.text, files=self.files)


class ChannelRating(AboutTicket, RatingGiven):
    """The resident rates the answer of a round."""

    type: Literal["rating"]
    """The kind of the message, `rating`."""

    def given(self) -> RatingGiven:
        return RatingGiven(round=self.round, solved=self.solved, satisfied=self.satisfied, words=self.words)


class ChannelWithdrawal(AboutTicket, WithdrawalGiven):
    """The resident withdraws the message."""

    type: Literal["withdrawal"]
    """The kind of the message, `withdrawal`."""

    def given(self) -> WithdrawalGiven:
        return WithdrawalGiven(why=self.why)


ChannelBody = ChannelInquiry | ChannelAddition | ChannelRating | ChannelWithdrawal
BODIES: Mapping[str, type[ChannelBody]] = {
    "inquiry": ChannelInquiry,
    "addition": ChannelAddition,
    "rating": ChannelRating,
    "withdrawal": ChannelWithdrawal,
}
"""The body of each `type`."""
