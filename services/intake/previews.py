"""Shows a writer the public version of a message before it is sent. Nothing of it is stored."""

from collections.abc import Mapping
from typing import Any

from fastapi.responses import Response

from services.intake import views
from services.intake.domain import ContactGiven, Submission
from shared.city import City
from shared.masking.case import CaseTexts
from shared.masking.worker import Masker
from shared.runtime.languages import Lang
from shared.web.layout import Site


def case_of(given: Submission, city: City | None) -> CaseTexts:
    """What of a message is masked, and what is known of its writer."""
    contact = given.contact or ContactGiven()
    return CaseTexts(
        written=(given.subject, given.body),
        names=(contact.name,) if contact.name else (),
        reached_at=tuple(one for one in (contact.phone, contact.email) if one),
        published=city.published if city else (),
    )


async def previewed(
    masker: Masker, city: City | None, given: Submission, typed: Mapping[str, Any], lang: Lang, site: Site
) -> Response:
    """The page with the masked text; it sends the form as typed, or goes back to it. Raises MaskingUnavailable."""
    subject, body = (await masker.mask(case_of(given, city))).written
    return views.preview(lang, subject, body, typed, given.public and not given.confidential, site)
