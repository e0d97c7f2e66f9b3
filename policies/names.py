"""The ways in which people and companies are written: what is looked for in a text, from what a record holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from policies.folding import fold, tight


class Where(Enum):
    """Where a spelling counts as the name that it spells."""

    ANYWHERE = "anywhere"
    WORD = "as a word of its own"
    CAPITAL = "as a word of its own that is written with a capital"
    START = "where a word begins"
    TITLED = "before a title or an honorific"


class Spelling(NamedTuple):
    """One way to write a name: letters and digits, folded."""

    text: str
    where: Where


_TITLES = (
    "様 さま さん 氏 殿 君 くん ちゃん 先生 部長 課長 係長 次長 社長 副社長 専務 常務 取締役 会長 主任 主査 室長 所長 "
    "支店長 工場長 本部長 店長 教授 代表 担当 まねーじゃー 님 씨 부장 과장 차장 대리 대표 사장 이사 상무 전무 팀장 "
    "본부장 실장 주임 사원 회장 선생 교수 박사 지점장 매니저 책임 선임 수석 군 양"
)
HONORIFICS = tuple(_TITLES.split())
PARTICLES = tuple("がのにをともへはでや、,")
_BEFORE = re.compile(r"^(?:mr|mrs|ms|miss|dr|prof|herr|frau|mme)\.?\s+")
_AFTER = re.compile(rf"\s*(?:{'|'.join(map(re.escape, HONORIFICS))})님?$")
_PARTS = re.compile(r"[\s・,/、.]+")
_LINKS = "van von der den de da di do dos del la le el al bin ibn binti st jr sr ii iii phd md"
_SMALL_WORDS = frozenset(_LINKS.split())
_LINKED = re.compile(rf"\b(?:(?:{'|'.join(_LINKS.split())})\s+)+[a-z'-]{{2,}}")
_TWO_LETTERS = ("남궁", "황보", "제갈", "사공", "선우", "서문", "독고", "동방", "司馬", "欧陽", "諸葛", "上官")
_LEGAL = (
    r"株式会社|有限会社|合同会社|合資会社|合名会社|(?:一般|公益)(?:社団|財団)法人|医療法人|学校法人|社会福祉法人|"
    r"\((?:株|有|同|資|名|주|유|합|재|사)\)|주식회사|유한회사|유한책임회사|재단법인|사단법인"
)
_ENGLISH_LEGAL = (
    r"incorporated|corporation|company|limited|inc|ltd|corp|co|llc|llp|lp|plc|gmbh|ag|kg|se|sa|sas|sarl|srl|spa|bv|nv|oy|"
    r"ab|as|aps|pty|pte|sdn|bhd|kk|gk|k\.k|s\.a|s\.p\.a"
)
_LEGAL_FORM = re.compile(rf"(?:{_LEGAL})|(?<=[\s,.)])(?:{_ENGLISH_LEGAL})\.?(?=$|[\s,.(])")
_FORMS = ("株式会社", "株", "有限会社", "合同会社", "주식회사", "주", "inc", "ltd", "coltd", "gmbh", "llc")
_TRADES = re.compile(
    r"(?:製作所|製造所|研究所|ホールディングス|グループ|ソリューションズ?|システムズ?|サービス|テクノロジーズ?|工業|商事|物産|電機|電気|電子|建設|銀行|製薬|薬品|食品|運輸|"
    r"精機|機械|化学|産業|興業|商会|商店|自動車|通信|重工業?|鉄鋼|不動産|証券|保険|病院|大学|물산|전자|전기|건설|은행|제약|산업|솔루션|시스템즈?|그룹|홀딩스|상사|"
    r"정밀|화학|기계|식품|통신|중공업|자동차|테크|병원|대학교?|증권|보험)+$".translate(
        {code: code - 0x60 for code in range(ord("ァ"), ord("ヶ") + 1)}
    )
)
_EVERYBODYS = (
    "global national united general first american british european international royal north south east west "
    "northern southern eastern western pacific atlantic central japan nippon korea tokyo seoul osaka digital smart "
    "green blue advanced applied modern standard universal world city state bank group systems solutions data cloud "
    "software service services technology technologies network the new great"
)
_COMMON = frozenset(_EVERYBODYS.split())
_OPEN_MAIL = frozenset(
    ("gmail.com", "yahoo.co.jp", "yahoo.com", "naver.com", "hanmail.net", "daum.net", "outlook.com", "hotmail.com")
)
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff々〆〇]+")
_HANGUL = re.compile(r"[가-힣]+")
_LONGEST = 200


def person(value: str) -> Iterator[Spelling]:
    """Ways to write a person: whole, either order, family or given name alone."""
    folded = _AFTER.sub("", _BEFORE.sub("", fold(value[:_LONGEST]).text.strip()))
    for inside in re.split(r"[()\[\]]", folded):  # a reading stands in brackets
        for linked in _LINKED.findall(inside):
            yield from whole(tight(linked))
        parts = [tight(part) for part in _PARTS.split(inside) if part not in _SMALL_WORDS]
        parts = [part for part in parts if part]
        if len(parts) > 1:
            yield from whole(tight(inside))
            yield from whole("".join(parts))
            yield from whole("".join(reversed(parts)))
            yield from whole("".join((*parts[1:], parts[0])))
            if parts[0].isascii() and parts[-1].isascii():  # J. Doe
                yield from (Spelling(one[0] + two, Where.WORD) for one, two in _ends(parts))
        for part in parts:
            yield from _part(part, alone=len(parts) == 1)


def _ends(parts: list[str]) -> tuple[tuple[str, str], tuple[str, str]]:
    return (parts[0], parts[-1]), (parts[-1], parts[0])


def _part(part: str, *, alone: bool) -> Iterator[Spelling]:
    """One part of a name; one that stands alone may be family and given name without a space."""
    yield from _alone(part)
    east_asian = _HAN.fullmatch(part) or _HANGUL.fullmatch(part)
    if not (alone and east_asian and 2 <= len(part) <= 6):
        return
    if _HANGUL.fullmatch(part):
        # 황보라 may be 황보 라 and 황 보라.
        for cut in (1, 2) if part.startswith(_TWO_LETTERS) and len(part) > 2 else (1,):
            yield from _alone(part[:cut])
            yield from _alone(part[cut:])
        return
    for cut in range(1, min(len(part), 4)):
        yield from _alone(part[:cut])
        yield from _alone(part[cut:])


def _alone(part: str) -> Iterator[Spelling]:
    if len(part) == 1:
        if not part.isascii():
            yield Spelling(part, Where.TITLED)
    elif part.isascii():
        yield Spelling(part, Where.CAPITAL if len(part) <= 3 else Where.WORD if len(part) == 4 else Where.ANYWHERE)
    else:
        yield Spelling(part, Where.START if _HANGUL.fullmatch(part) and len(part) == 2 else Where.ANYWHERE)


def company(value: str) -> Iterator[Spelling]:
    """Ways to write a company: with and without its legal form, and its name without its trade."""
    folded = fold(value[:_LONGEST]).text
    yield from whole(tight(folded))
    core = _LEGAL_FORM.sub(" ", f" {folded} ").strip(" ,.")
    yield from whole(tight(core))
    words = re.split(r"[\s,.&]+", core)
    short = _TRADES.sub("", core)
    if len(tight(short)) >= 2 and short != core:
        yield from _alone(tight(short))
    if len(words) > 2 and words[-1] in _COMMON:
        yield from whole(tight("".join(words[:-1])))
    if len(words) > 1 and len(words[0]) >= 4 and words[0] not in _COMMON:
        yield from whole(tight(words[0]))


def registered(value: str) -> Iterator[Spelling]:
    """Ways to write a company that nothing else speaks of: its name with and without its legal form, nothing shorter.

    A name that could be any word, such as two characters or `Data`, counts beside its legal form alone.
    """
    folded = fold(value[:_LONGEST]).text
    core = _LEGAL_FORM.sub(" ", f" {folded} ").strip(" ,.")
    spelled, bare = tight(folded), tight(core)
    if not bare:
        return
    if len(bare) < 3 or bare in _COMMON:
        forms = [tight(folded)] if spelled != bare else []
        forms += [pair for form in _FORMS for pair in (form + bare, bare + form)]
        yield from (Spelling(form, _anywhere(form)) for form in dict.fromkeys(forms))
    else:
        yield from (Spelling(each, _anywhere(each)) for each in dict.fromkeys((spelled, bare)) if len(each) > 2)


def _anywhere(spelled: str) -> Where:
    """Where a company's name counts in a text that need not be about it."""
    if spelled.isascii():
        return Where.CAPITAL if len(spelled) == 3 else Where.WORD
    return Where.START if _HANGUL.fullmatch(spelled) else Where.ANYWHERE


def mail(value: str) -> Iterator[Spelling]:
    """Ways to write an address: whole, or its domain where that is not everybody's."""
    folded = fold(value[:_LONGEST]).text
    local, _, domain = folded.rpartition("@")
    yield from whole(tight(folded))
    if len(tight(local)) >= 6:
        yield Spelling(tight(local), Where.WORD)
    if domain and domain not in _OPEN_MAIL:
        yield from whole(tight(domain))


def text(value: str) -> Iterator[Spelling]:
    """A short text as it is, and its lines and parts where they say enough by themselves."""
    yield from whole(tight(value))
    for part in re.split(r"[\n,;|、]", value):
        if len(tight(part)) >= 4:
            yield from whole(tight(part))


def whole(spelled: str) -> Iterator[Spelling]:
    """One spelling, where it is long enough to mean something."""
    if 2 <= len(spelled) <= _LONGEST:
        yield Spelling(spelled, Where.ANYWHERE if len(spelled) > 4 or not spelled.isascii() else Where.WORD)
