"""The exit codes of the `chorus` command, and the exception that ends it with one of them."""

DONE, FAILED, USAGE, UNAVAILABLE, REFUSED, PARTIAL = range(6)


class Failure(Exception):
    """Ends a command with exit code `code`; `sentence` says what is wrong, quotes the value, and says what to do."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
