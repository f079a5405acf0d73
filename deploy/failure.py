"""The one exception of every command: a sentence for a person and the exit code that goes with it."""

DONE, FAILED, USAGE, AWAY, REFUSED, PARTLY = range(6)


class Failure(Exception):
    """Ends a command: `sentence` says what is wrong, with the value quoted, and what to do."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
