"""The files of one form: each is stored as it arrives, and those that are not accepted get a sentence."""

from collections.abc import Mapping, Sequence

from services.intake import sentences
from services.intake.files import ResidentFiles
from shared.contracts.limits import FILES_PER_MESSAGE_MAX
from shared.files.refusals import FileRefused
from shared.files.stored_file import FILE_ID
from shared.files.worker import CleaningUnavailable
from shared.http.multipart_form import SentFile
from shared.http.problems import Problem
from shared.kafka.failures import DependencyUnavailable
from shared.runtime.languages import Lang
from shared.runtime.logging import log
from shared.runtime.translations import translations
from shared.store.mongo import PyMongoError

RETRY_SOON = {"Retry-After": "5"}


class SentFiles:
    """What became of the files of a form. `status` and `headers` are those of the page that shows it again."""

    def __init__(self, files: ResidentFiles | None, client: str) -> None:
        self._files = files
        self._client = client
        self.taken: list[str] = []
        self.refused: list[tuple[str, str]] = []
        self.status = 422
        self.headers: Mapping[str, str] = {}

    async def take(self, sent: SentFile) -> None:
        """Store a file, or note why not."""
        if self._files is None:
            return
        try:
            if len(self.taken) + len(self.refused) >= FILES_PER_MESSAGE_MAX:
                self.refused.append((sent.name, sentences.TOO_MANY_FILES))
                return
            if sent.too_large:
                raise FileRefused("too-large")
            self._files.uploads.admit(self._client)
            self.taken.append((await self._files.take(sent)).file_id)
        except FileRefused as refused:
            self.refused.append((sent.name, str(refused)))
        except Problem as problem:
            self._later(sent, sentences.TOO_MANY_FILES_SENT, problem.status, problem.headers or {})
        except (CleaningUnavailable, DependencyUnavailable, PyMongoError) as error:
            log.warning("a file of a form cannot be stored", error=type(error).__name__)
            self._later(sent, sentences.FILE_NOT_STORED, 503, RETRY_SOON)

    def _later(self, sent: SentFile, sentence: str, status: int, headers: Mapping[str, str]) -> None:
        self.refused.append((sent.name, sentence))
        self.status, self.headers = status, headers

    def with_kept(self, kept: Sequence[str]) -> list[str]:
        """The files that the form had before, then the new ones."""
        known = [one for one in kept if FILE_ID.fullmatch(one)]
        return list(dict.fromkeys([*known, *self.taken]))

    async def attached(self, file_ids: Sequence[str]) -> list[tuple[str, str]] | None:
        """Id and name of the files that stay with the form; None when the city accepts no files."""
        return await self._files.named(file_ids) if self._files is not None else None

    async def contents(self, file_ids: Sequence[str]) -> list[str]:
        """What tells one file from another. Raises Problem 422 for a file that is not there any more."""
        return await self._files.contents(file_ids) if self._files is not None and file_ids else []

    def sentences(self, lang: Lang) -> str:
        """Why files are not accepted, each with its name."""
        texts = translations(lang)
        return " ".join(
            texts.gettext("File “%(name)s”: %(sentence)s") % {"name": name, "sentence": texts.gettext(sentence)}
            for name, sentence in self.refused
        )
