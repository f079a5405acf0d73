"""Why a file is not accepted: a code, and the sentence for the person who sent it."""

from collections.abc import Mapping
from typing import Literal, get_args

from shared.runtime.translations import gettext_noop

RefusalCode = Literal[
    "empty",
    "too-large",
    "unknown-type",
    "heic",
    "video",
    "moving-picture",
    "too-many-pixels",
    "broken",
    "locked",
    "not-cleanable",
    "too-long",
    "infected",
]
SENTENCES: Mapping[RefusalCode, str] = {
    "empty": gettext_noop("The file is empty. Please choose it again."),
    "too-large": gettext_noop("The file is larger than 10 MB. Please send a smaller one."),
    "unknown-type": gettext_noop("Files of this type are not accepted. Please send a picture, a PDF or a sound file."),
    "heic": gettext_noop("HEIC pictures are not accepted. Please send the picture as JPEG."),
    "video": gettext_noop("Videos are not accepted. Please send a picture or a sound file."),
    "moving-picture": gettext_noop("Moving pictures are not accepted. Please send a still picture."),
    "too-many-pixels": gettext_noop(
        "The picture has too many pixels: at most 50 million, WebP 25 million. Please send a smaller one."
    ),
    "broken": gettext_noop("The file is damaged or incomplete. Please open it, save it again and send that copy."),
    "locked": gettext_noop("The PDF has a password. Please send it without one."),
    "not-cleanable": gettext_noop(
        "We cannot remove the hidden data of this file. Please send it as a picture, or print it into a new PDF."
    ),
    "too-long": gettext_noop("The file takes too long to check. Please send a smaller or simpler one."),
    "infected": gettext_noop("The virus scanner does not let this file pass."),
}
CODES: tuple[RefusalCode, ...] = get_args(RefusalCode)


class FileRefused(ValueError):
    """The file is not accepted. `code` says why, and SENTENCES what its sender can do."""

    def __init__(self, code: RefusalCode) -> None:
        super().__init__(SENTENCES[code])
        self.code = code
