"""`chorus import --check`: what intake would say of a message, without sending it."""

from typing import Any

from pydantic import ValidationError

from deploy.cli.console import field_detail
from deploy.cli.importing.mapping import ImportedMessage, Unusable
from services.intake.domain import Submission
from shared.http.problems import invalid


class Checker:
    """Takes the place of a Sender. A department's code and an earlier import are known to intake alone."""

    async def send(self, message: ImportedMessage) -> tuple[bool, dict[str, Any]]:
        """As if the message were new; raises Unusable with the words that intake would answer with."""
        try:
            Submission.model_validate_json(message.content)
        except ValidationError as error:
            raise Unusable("; ".join(field_detail(one.pointer, one.detail) for one in invalid(error).errors)) from error
        return False, {}
