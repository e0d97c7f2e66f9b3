"""Text as it is compared: width, case, kana, accents, variants of a kanji make no difference; every place is kept."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import unescape

_MARKS = (  # what belongs to the character before it: accents, voicing, vowels of a jamo, selectors, invisible signs
    "\u00ad\u0300-\u036f\u0483-\u0489\u061c\u115f-\u11ff\u180b-\u180f\u1ab0-\u1aff\u1dc0-\u1dff\u200b-\u200f\u202a-\u202e"
    "\u2060-\u2064\u2066-\u2069\u20d0-\u20ff\u3099\u309a\u3164\ufe00-\ufe0f\ufe20-\ufe2f\ufeff\uff9e-\uffa0"
    "\U000e0000-\U000e01ef"
)
_ESCAPE = "&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,8});"  # CRMs write & < and more like this in some fields
_CLUSTER = re.compile(f"(?:{_ESCAPE}|.)[{_MARKS}]*", re.DOTALL)
_VARIANTS = str.maketrans(
    "髙﨑嵜碕邉邊齋齊齎斎澤濵濱廣國眞惠榮櫻瀧德淺槇冨嶋嶌圓龍萬靑參貳壹đøłħŧı",
    "高崎崎崎辺辺斉斉斉斉沢浜浜広国真恵栄桜滝徳浅槙富島島円竜万青参弐壱dolhti",
) | {ord("æ"): "ae", ord("œ"): "oe", ord("þ"): "th", ord("ð"): "d"}
_ALIKE = (
    str.maketrans(  # of other scripts; one letter whether it is small or not, by what is more often taken for another
        "аверсіїјкмнотухѕԁԛԝһӏүαβεζηικμνορτυχօɑɡᴀʙᴄᴅᴇғɢʜɪᴊᴋʟᴍɴᴏᴘʀᴛᴜᴠᴡʏᴢ",
        "abepciijkmhotyxsdqwhlyabezhikmnoptyxoagabcdefghijklmnoprtuvwyz",
    )
)
_UNSEEN = frozenset("\u034f\u115f\u1160\u180b\u180c\u180d\u180f\u3164\uffa0")  # letters and marks that show nothing
_HIRAGANA = {code: code - 0x60 for code in range(ord("ァ"), ord("ヶ") + 1)}
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−", "-"))
_STOPS = "。!?▇"  # no name goes on over these


@dataclass(frozen=True, slots=True)
class Folded:
    """A text as it is compared, and where each of its characters stands in the text itself."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]


@dataclass(frozen=True, slots=True)
class Tight:
    """A folded text's letters and digits alone: names are found over spaces, hyphens and line breaks."""

    text: str
    places: Sequence[int]  # in the folded text


def fold(text: str) -> Folded:
    """A text as it is compared."""
    if text.isascii() and "&" not in text:
        return Folded(text.lower(), range(len(text)), range(1, len(text) + 1))
    letters, starts, ends = list[str](), list[int](), list[int]()
    for cluster in _CLUSTER.finditer(text):
        folded = _folded(cluster[0])
        letters.append(folded)
        starts += [cluster.start()] * len(folded)
        ends += [cluster.end()] * len(folded)
    return Folded("".join(letters), starts, ends)


def tighten(folded: str) -> Tight:
    """The letters and digits of a folded text."""
    places = [place for place, letter in enumerate(folded) if letter.isalnum() or letter in _STOPS]
    return Tight("".join([folded[place] for place in places]), places)


def tight(text: str) -> str:
    """A value's letters and digits as they are compared."""
    return tighten(fold(text).text).text


@lru_cache(maxsize=16_384)
def _folded(cluster: str) -> str:
    """One character with its marks, as it is compared; may be none or several."""
    plain = unescape(cluster) if cluster.startswith("&") else cluster
    seen = "".join(letter for letter in plain if not _is_unseen(letter))
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", seen).casefold())
    bare = unicodedata.normalize("NFKD", plain).translate(_ALIKE)
    if bare[:1].isascii() and bare[:1].isalpha():  # an accent on a Latin letter; one on kana makes another letter
        plain = "".join(letter for letter in bare if not unicodedata.combining(letter))
    plain = "".join(letter for letter in plain if not 0xFE00 <= ord(letter) <= 0xFE0F and ord(letter) < 0xE0000)
    return plain.translate(_VARIANTS).translate(_HIRAGANA).translate(_DASHES)


def _is_unseen(letter: str) -> bool:
    return letter in _UNSEEN or (unicodedata.category(letter) in ("Cf", "Cc") and letter not in "\n\t")
