"""What is odd about an example: truncated, unknown tokens, markup, another script, duplicates that contradict each other."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loss_widget.data.contents import Contents
from loss_widget.data.texts import over_parts
from loss_widget.review.text.duplicates import same_text, same_words
from loss_widget.review.text.scripts import scripts_of

QUIRKS = {
    "conflicting duplicates": "The same words stand elsewhere with another label",
    "exact duplicates": "The same words stand elsewhere with the same label",
    "truncated": "The model read only the beginning",
    "unknown tokens": "Tokens that the model does not know",
    "markup": "Tags, entities or remains of them",
    "other script": "Letters of another script than most rows have",
    "empty": "There are no words",
    "unlabelled": "Nobody has given it a label",
}
"""The names, in the order in which they are shown, and what the grid says of each.

conflicting duplicates: the same words (see `duplicates.words_of`) with different given labels: one of them is wrong, or the text
fits both. exact duplicates: the same text more than once. truncated: the model did not see all of it. unknown tokens: more than
a tenth of its tokens are unknown to the model. markup: HTML tags and entities, also cut ones (` #39;`), and backslashes, as in a
literal `\\n`. other script: most letters are in another script than in most rows. empty: nothing but white space. unlabelled: no
given label.
"""

UNKNOWN_SHARE = 0.1
_MARKUP = (
    r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});"  # &amp; &#39; &#x27;
    r"|(?:^|\s)(?:#[0-9]{1,5}|quot|amp|lt|gt|nbsp);"  # AG News lost the &: " #39;" " quot;"
    r"|</?[A-Za-z][A-Za-z0-9]{0,14}(?:\s[^<>]{0,300})?/?>"
    r"|\\"
)
_SMALL = 50_000  # rows: below this everything is found at once, in some 0.1 s
_PATIENCE_S = 0.02


class Quirks:
    """Masks of n rows, one for each of `QUIRKS`, each computed when it is first asked for and then kept (n bytes each).

    `given` (n,) are label ids, -1 for none. `tokens`, `unknown_tokens` (n,) int32, -1 where not known, and `truncated` (n,) bool,
    or None: those of a Scores. Safe on any thread.
    """

    def __init__(
        self,
        contents: Contents,
        *,
        keys: np.ndarray,
        given: np.ndarray,
        tokens: np.ndarray | None = None,
        truncated: np.ndarray | None = None,
        unknown_tokens: np.ndarray | None = None,
    ) -> None:
        self._words = contents.words
        self._keys = keys
        self._given = given
        self._tokens, self._truncated, self._unknown_tokens = tokens, truncated, unknown_tokens
        self._lock = threading.RLock()
        self._finder: threading.Thread | None = None
        self._masks: dict[str, np.ndarray] = {}
        self._same_text: np.ndarray | None = None
        self._same_words: np.ndarray | None = None

    def mask(self, quirk: str) -> np.ndarray:
        """(n,) bool: the rows that have it."""
        if quirk not in self._masks:
            with self._lock:
                if quirk not in self._masks:
                    self._masks[quirk] = _FIND[quirk](self)
        return self._masks[quirk]

    def find(self) -> list[str]:
        """Look for every quirk: in a small table now, in a large one on a thread of its own. Returns what is not found yet."""
        if len(self._given) > _SMALL and self.left():
            if self._finder is None:
                self._finder = threading.Thread(target=self._find_all, name="loss_widget quirks", daemon=True)
                self._finder.start()
            self._finder.join(_PATIENCE_S)
            if self._finder.is_alive():
                return self.left()
        self._find_all()  # where the thread failed, this does too, and says why
        return self.left()

    def left(self) -> list[str]:
        """What has not been found yet."""
        return [quirk for quirk in _IN_TURN if quirk not in self._masks]

    @property
    def complete(self) -> bool:
        """Whether every quirk has been looked for, so that `of` tells them all."""
        return not self.left()

    def of(self, rows: np.ndarray) -> list[tuple[str, ...]]:
        """The quirks of some rows, of those looked for so far; in a small table, of all."""
        if len(self._given) <= _SMALL:
            self._find_all()
        found = [(quirk, self._masks[quirk][rows]) for quirk in QUIRKS if quirk in self._masks]
        return [tuple(quirk for quirk, hits in found if hits[i]) for i in range(len(rows))]

    @property
    def same_text(self) -> np.ndarray:
        """(n,) int32: for each row the first row of the same text."""
        with self._lock:
            if self._same_text is None:
                self._same_text = same_text(self._keys)
            return self._same_text

    @property
    def same_words(self) -> np.ndarray:
        """(n,) int32: for each row the first row of the same words."""
        with self._lock:
            if self._same_words is None:
                self._same_words = same_words(self._words, self.same_text)
            return self._same_words

    def twins(self, row: int) -> np.ndarray:
        """The other rows of the same words, in order; none for a text without any."""
        groups = self.same_words
        rows = np.flatnonzero(groups == groups[row])
        return rows[rows != row]

    def _find_all(self) -> None:
        for quirk in self.left():
            self.mask(quirk)

    def _find_truncated(self) -> np.ndarray:
        return self._none() if self._truncated is None else self._truncated

    def _find_unknown_tokens(self) -> np.ndarray:
        if self._tokens is None or self._unknown_tokens is None:
            return self._none()
        return np.asarray((self._tokens > 0) & (self._unknown_tokens > UNKNOWN_SHARE * self._tokens))

    def _find_markup(self) -> np.ndarray:
        return self._any_text(lambda part: pc.match_substring_regex(part, _MARKUP))

    def _find_empty(self) -> np.ndarray:
        return self._any_text(lambda part: pc.or_(pc.equal(pc.binary_length(part), 0), pc.utf8_is_space(part)))

    def _find_unlabelled(self) -> np.ndarray:
        return self._given < 0

    def _find_other_script(self) -> np.ndarray:
        found = self._none()
        for words in self._words:
            codes = scripts_of(words)
            counts = np.bincount(codes)
            counts[0] = 0
            found |= (codes != 0) & (codes != counts.argmax())
        return found

    def _find_exact_duplicates(self) -> np.ndarray:
        counts = np.bincount(self.same_text, minlength=len(self._given))
        return (counts[self.same_text] > 1) & ~self.mask("empty")

    def _find_conflicting_duplicates(self) -> np.ndarray:
        groups, n = self.same_words, len(self._given)
        labelled = np.flatnonzero(self._given >= 0)
        low = np.full(n, np.iinfo(np.int32).max, dtype=np.int32)
        high = np.full(n, -1, dtype=np.int32)
        np.minimum.at(low, groups[labelled], self._given[labelled])
        np.maximum.at(high, groups[labelled], self._given[labelled])
        return (low < high)[groups] & (self._given >= 0) & ~self.mask("empty")

    def _any_text(self, found: Callable[[pa.Array], pa.Array]) -> np.ndarray:
        mask = self._none()
        for words in self._words:
            mask |= over_parts(words, lambda part: found(part).to_numpy(zero_copy_only=False))
        return mask

    def _none(self) -> np.ndarray:
        return np.zeros(len(self._given), dtype=bool)


_FIND: dict[str, Callable[[Quirks], np.ndarray]] = {q: getattr(Quirks, f"_find_{q.replace(' ', '_')}") for q in QUIRKS}
_IN_TURN = (
    "unlabelled",
    "truncated",
    "unknown tokens",
    "empty",
    "other script",
    "markup",
    "conflicting duplicates",
    "exact duplicates",  # no row is called one before its duplicates can be named at once
)
