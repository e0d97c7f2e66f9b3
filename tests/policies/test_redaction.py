"""Free text: none of a record's own hidden values is left in it, however it is written."""

from __future__ import annotations

import time
import unicodedata
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.values import Money
from policies.amounts import amounts_in, says
from policies.directory import directory_of
from policies.folding import fold, tight
from policies.identifiers import business_number, corporate_number, luhn, my_number, resident_number
from policies.redaction import MASK, MOST, Hidden, Others, hidden_of, names_any, redacted

PEOPLE = (
    "田中 太郎",
    "佐々木 健",
    "髙橋 みなみ",
    "김민수",
    "남궁 혜진",
    "Jane van der Berg",
    "José Núñez",
    "タカハシ ミナミ",
)
COMPANIES = ("株式会社北辰製作所", "한빛물산 주식회사", "Nordwind Logistik GmbH", "アオゾラ商事(株)")
VALUES = [
    *(("person", name) for name in PEOPLE),
    *(("company", name) for name in COMPANIES),
    ("email", "taro.tanaka@hokushin.example"),
    ("text", "+81-3-5555-0123"),
    ("text", "Harbour Renewal 2027"),
    ("money", Money(35_000_000, "JPY")),
    ("money", Money(12_345_678, "USD")),
    ("day", "2026-12-24"),
    ("number", 4711),
]
HIDDEN = hidden_of(VALUES)  # type: ignore[arg-type] # the kinds are written out
FILLER = st.sampled_from(
    [
        "明日",
        "の件で",
        "確認する。",
        " 회의 후 ",
        "연락 예정. ",
        " will call ",
        " tomorrow, ",
        "\n",
        "、",
        " / ",
        "2026",
        "(",
        ")",
    ]
)


def _wide(text: str) -> str:
    return "".join(chr(ord(each) + 0xFEE0) if "!" <= each <= "~" else each for each in text)


def _narrow_kana(text: str) -> str:
    found = {unicodedata.normalize("NFKC", chr(code)): chr(code) for code in range(0xFF66, 0xFF9E)}
    return "".join(found.get(each, each) for each in unicodedata.normalize("NFD", text).replace("\u3099", "ﾞ"))


WRITTEN = {
    "as it is": str,
    "wide": _wide,
    "in capitals": str.upper,
    "taken apart": lambda text: unicodedata.normalize("NFD", text),
    "narrow kana": _narrow_kana,
    "spaced": lambda text: text.replace(" ", "\u3000"),
    "without spaces": lambda text: text.replace(" ", ""),
    "with invisible signs": "\u200b".join,
    "over a line": lambda text: text.replace(" ", "\n"),
}


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([v for _, v in VALUES if isinstance(v, str) and v[0] != "2"]),
            st.sampled_from(sorted(WRITTEN)),
            FILLER,
        ),
        min_size=1,
        max_size=8,
    )
)
def test_no_hidden_name_company_mail_or_phone_is_left_however_it_is_written(parts):
    text = "".join(f"{filler}{WRITTEN[way](value)}{filler}" for value, way, filler in parts)
    left = tight(redacted(text, HIDDEN))
    for value, _, _ in parts:
        assert tight(value) not in left, text
    assert redacted(redacted(text, HIDDEN), HIDDEN) == redacted(text, HIDDEN)


YEN = ["35,000,000円", "¥35,000,000", "３５，０００，０００円", "3,500万円", "3500万", "3千5百万円",
    "三千五百万円", "金参仟伍佰萬円也", "參仟伍佰萬圓", "35MJPY", "35百万円", "35,000千円",
       "35M JPY", "35 million yen", "thirty-five million yen", "JPY 35mn", "0.035 billion yen",
       "3천5백만엔", "삼천오백만 엔",
       "35 000 000 yen", "約3,480万円", "3500で提示", "35,000(千円)"]  # fmt: skip
# Half-way forms: figures that stand apart, as from a form's boxes or to get by a filter.
APART = ["3 5 0 0 万円", "３　５　０　０　万円", "3 5,0 0 0,0 0 0円", "三 千 五 百 万円", "三千 五百 万円", "3 5 M JPY",
         "3 5 0 0 0 0 0 0 yen", "3 4 8 0 万円", "35 00万", "3,5 0 0 万", "3.5 千万円"]  # fmt: skip
WON = [
    "3억 5천만원",
    "3억5천",
    "3.5억",
    "350,000,000원",
    "삼억오천만원",
    "₩350M",
    "350백만원",
    "3 5 0 0 0 만원",
    "삼 억 오 천만 원",
    "３ 억 ５ 천",
    "3억 5,000만 원",
    "350 million won",
]


@pytest.mark.parametrize("written", YEN)
def test_an_amount_of_the_record_is_masked_in_figures_and_words(written):
    hidden = hidden_of([("money", Money(35_000_000, "JPY"))])
    shown = redacted(f"見積は{written}、来週" if not written.isascii() else f"We offer {written}, next week", hidden)
    assert MASK in shown
    assert not any(says(amount, Decimal(35_000_000)) for amount in amounts_in(fold(shown).text))


@pytest.mark.parametrize("written", APART)
def test_figures_that_stand_apart_are_one_amount(written):
    hidden = hidden_of([("money", Money(35_000_000, "JPY"))])
    left = redacted(f"見積は{written}、来週", hidden)
    assert MASK in left
    assert set(left.replace(MASK, "")) <= set("見積は、来週円 JPYyen万")


@pytest.mark.parametrize("written", ["3 5 0 0", "3 社 5 案", "3 5 0 1", "3, 5, 0 and 0", "三 千葉 五", "3 5 0 0 0 万"])
def test_figures_that_only_stand_beside_each_other_are_none(written):
    hidden = hidden_of([("money", Money(35_001_234, "JPY"))])
    assert redacted(f"案件 {written} 件", hidden) == f"案件 {written} 件"


@pytest.mark.parametrize("written", WON)
def test_a_korean_amount_is_masked_in_figures_and_words(written):
    assert redacted(f"견적 {written} 제시", hidden_of([("money", Money(350_000_000, "KRW"))])).count(MASK) == 1


DAYS = ["2026-12-24", "2026/12/24", "2026.12.24", "12/24", "12月24日", "2026年12月24日",
    "令和8年12月24日", "12월 24일",
        "2026년 12월 24일", "Dec 24", "December 24th, 2026", "24 Dec 2026", "24th of December",
        "20261224", "十二月二十四日", "24.12.2026"]  # fmt: skip


@pytest.mark.parametrize("written", DAYS)
def test_a_hidden_day_is_masked_as_people_write_days(written):
    hidden = hidden_of([("day", "2026-12-24")])
    assert redacted(f"契約 {written} まで", hidden) == f"契約 {MASK} まで"
    assert redacted("1/24 12/25 2025-12-24", hidden) == "1/24 12/25 2025-12-24"


IDENTIFIERS = {
    "123456789018": my_number,
    "7000012050002": corporate_number,
    "8001011234560": resident_number,
    "1208147521": business_number,
    "4111111111111111": luhn,
}


@pytest.mark.parametrize("digits", IDENTIFIERS)
def test_a_number_with_a_check_digit_is_masked_and_one_with_a_wrong_digit_is_not(digits):
    check = IDENTIFIERS[digits]
    assert check(digits)
    assert redacted(f"no. {digits} ok", Hidden()) == f"no. {MASK} ok"
    wrong = [
        f"{digits[:place]}{other}{digits[place + 1 :]}"
        for place in range(len(digits))
        for other in "0123456789"
        if other != digits[place]
    ]
    # Some schemes fold two remainders into one, so a few wrong digits pass: that they are few is the promise.
    assert sum(map(check, wrong)) <= len(wrong) * 0.08


@pytest.mark.parametrize(
    "text",
    ["03-5555-0123", "(03) 5555-0123", "+81 3 5555 0123", "090-1234-5678", "09012345678",
     "010-1234-5678", "02-123-4567",
     "1588-1234", "(415) 555-0123", "a.b+c@example.co.jp", "ａ＠ｅｘａｍｐｌｅ．ｃｏｍ",
     "taro (at) example.com", "〒100-0001",
     "100-0001", "우편번호 04524", "zip 94105", "T7000012050002", "4111-1111-1111-1111",
     "800101-1234567", "120-81-47521"],
)  # fmt: skip
def test_phones_mails_postal_codes_and_registered_numbers_are_masked_by_their_shape(text):
    assert redacted(f"→ {text} まで", Hidden()) == f"→ {MASK} まで"


@pytest.mark.parametrize(
    "text",
    ["来週の火曜に訪問し、三社で比較する予定。",
     "다음 주 화요일에 방문하여 세 개 회사와 비교할 예정입니다.",
     "Two vendors are left; we meet on Tuesday.",
     "林の中のもりつもり、満たなかった", "국민 수요 조사", "So may we do it?",
     "version 2.10.3 of 2026, 40% off, room 1204", "", "🎉👍🏽", "שלום עולם"],
)  # fmt: skip
def test_what_names_nobody_stays_as_it_is(text):
    assert redacted(text, HIDDEN) == text


@pytest.mark.parametrize(
    ("kind", "value", "written"),
    [
        ("company", "AT&T Inc.", "call AT&amp;T today"),
        ("company", "青空商事", "&#38738;&#x7a7a;商&#20107; と会う"),
        ("company", "青空商事", "靑空商事 と会う"),
        ("email", "taro@hokushin.example", "mail taro&#64;hokushin&#46;example"),
        ("person", "田中 太郎", "田&shy;中&nbsp;太郎 様"),
        ("person", "Đặng Thị Hương", "met Dang Thi Huong"),
        ("person", "Łukasz Wałęsa", "met Lukasz Walesa"),
        ("person", "Søren Ærø", "met Soren Aero"),
    ],
)
def test_signs_written_out_as_on_web_pages_and_letters_with_a_stroke_make_no_difference(kind, value, written):
    left = redacted(written, hidden_of([(kind, value)]))
    assert set(left.replace(MASK, "").split()) <= {"call", "today", "と会う", "mail", "様", "met"}
    assert MASK in left


def test_family_names_of_one_character_are_masked_before_a_title():
    hidden = hidden_of([("person", "林 健"), ("person", "김민수")])
    assert redacted("林様、林部長、健さん、김부장, 김 대리님, 민수 씨", hidden) == (
        f"{MASK}様、{MASK}部長、{MASK}さん、{MASK}부장, {MASK} 대리님, {MASK} 씨"
    )


@pytest.mark.parametrize(
    ("kind", "value", "written", "left"),
    [
        # Few kana are a name only as a word of their own: half of any sentence is kana.
        ("person", "もり けん", "もりさん、森のもり。つもりとおもり", f"{MASK}さん、森の{MASK}。つもりとおもり"),
        ("person", "もり けん", "もり部長はもりと、もりも行く", f"{MASK}部長は{MASK}と、{MASK}も行く"),
        ("person", "もり けん", "Mtg: もり", f"Mtg: {MASK}"),
        ("person", "サト ケン", "サトが来た。サトウとサトー、サト様", f"{MASK}が来た。サトウとサトー、{MASK}様"),
        ("person", "サト ケン", "ヤサトとケン", f"ヤサトと{MASK}"),
        ("person", "ｻﾄ", "ｻﾄさん ｻﾄｳ サト", f"{MASK}さん ｻﾄｳ {MASK}"),
        ("person", "ヴァ ヶヺ", "ヴァさん", f"{MASK}さん"),
        # Latin letters: up to three with a capital, four as a word, more anywhere.
        ("person", "Bo Li", "Bo, bo, Bob, Li and LI, lithium", f"{MASK}, bo, Bob, {MASK} and {MASK}, lithium"),
        ("person", "Jane Reed", "jane reads, Janet, reeds; reed2 reed", f"{MASK} reads, Janet, reeds; {MASK}2 {MASK}"),
        ("person", "Ann Baker", "bakery, xbakerx, no b akery", f"{MASK}y, x{MASK}x, no b akery"),
        ("person", "Ann Robertson", "xrobert sonx, xrobertsonx", f"xrobert sonx, x{MASK}x"),
        ("person", "Ann Fitzgerald", "xfitz geraldx", f"x{MASK}x"),
        ("text", "4ward", "x4ward, 44ward", f"x{MASK}, 4{MASK}"),
        ("text", "R2D2", "R2D2x R2D23 xR2D2 3R2D2", f"{MASK}x R2D23 xR2D2 3{MASK}"),
        # One character stands for a person before a title only, and in Korean not inside of a word.
        ("person", "林 健", "林の中で林様と、健康", f"林の中で{MASK}様と、健康"),
        ("person", "김 민", "김부장, 영김부장, 김치", f"{MASK}부장, 영김부장, 김치"),
        ("person", "김 민수", "민수 씨, 국민수요, 민수가", f"{MASK} 씨, 국민수요, {MASK}가"),
        # A number counts from three figures on, an amount whatever its sign.
        ("number", 471, "471 seats", f"{MASK} seats"),
        ("number", -471, "471 too many", f"{MASK} too many"),
        ("number", 47, "47 rooms", "47 rooms"),
        ("money", Money(-7_000_000, "JPY"), "700万円の赤字", f"{MASK}円の赤字"),
        ("money", None, "0 yen", "0 yen"),
        ("text", "", "so it is", "so it is"),
        # A phone number without its country's prefix, with another grouping.
        ("text", "+81-3-5555-0123", "tel 3-5555-0123", f"tel {MASK}"),
        ("text", "03-5555-0123", "tel 81 3 5555 0123", f"tel {MASK}"),
        ("text", "02-123-4567", "tel 82-2-123-4567", f"tel {MASK}"),
        ("text", "+82-2-123-4567", "tel 2-123-4567", f"tel {MASK}"),
        ("text", "(415) 555-0123", "tel 1 4155 550123", f"tel {MASK}"),
        ("text", "81-2345-6789", "tel 8123-456-789", f"tel {MASK}"),
        ("text", "Room 5-5501-23, second floor of the north wing", "no. 55-50123", "no. 55-50123"),
        ("company", "5-5501-23", "no. 55-50123", f"no. {MASK}"),
        # Masks that touch are one, those with a word between them are not.
        ("person", "Ann Baker", "Ann-Baker, Ann / Baker and Ann or Baker", f"{MASK} and {MASK} or {MASK}"),
        ("person", "Ann Baker", "Ann", MASK),
    ],
)  # fmt: skip
def test_what_counts_as_a_hidden_value_and_what_only_looks_like_it(kind, value, written, left):
    assert redacted(written, hidden_of([(kind, value)])) == left


def test_one_mask_whatever_the_length_and_masks_that_touch_are_one():
    hidden = hidden_of([("person", "Maximilian Featherstonehaugh"), ("person", "Bo Li")])
    assert redacted("ask Maximilian Featherstonehaugh, Bo Li", hidden) == f"ask {MASK}"
    assert redacted("ask Bo", hidden) == redacted("ask Maximilian", hidden) == f"ask {MASK}"


def test_what_is_beyond_the_longest_text_is_masked_as_a_whole():
    text = "あ" * (MOST - 1) + "田中 太郎" + "い" * 50
    assert redacted(text, HIDDEN) == "あ" * (MOST - 1) + MASK


@pytest.mark.parametrize(
    "piece", ["1", "1 ", "1-", "a@", "a.", "(", "田", "一", "万", "イ", "12/", "one ", "ab-", "▇",
    "\u0301", "𠮷", "+1", "우)", "0-0"]
)  # fmt: skip
def test_no_text_takes_long(piece):
    started = time.process_time()
    redacted((piece * MOST)[:MOST], HIDDEN)
    assert time.process_time() - started < 3


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200))
def test_any_text_can_be_redacted_and_once_is_enough(text):
    once = redacted(text, HIDDEN)
    assert redacted(once, HIDDEN) == once


EVERYBODY = directory_of(
    (
        "株式会社カモメ情報",
        "Osprey Consulting KK",
        "Arc Ltd",
        "株式会社青空",
        "카카오",
        "Data Inc.",
        "アクロ",
        "",
        "株式会社",
    )
)


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("㈱ｶﾓﾒ情報とカモメ情報、カモメ", f"㈱{MASK}と{MASK}、カモメ"),
        ("osprey consulting, OSPREY CONSULTING KK", MASK),
        ("Ospreys consulting; Osprey con-sulting", f"Ospreys consulting; {MASK}"),
        ("Arc and arc, Arcs, ARC", f"{MASK} and arc, Arcs, {MASK}"),
        ("青空の下、(株)青空と青空株式会社", f"青空の下、({MASK}と{MASK}"),
        ("카카오와 코카카오", f"{MASK}와 코카카오"),
        ("Data migration by Data Inc", f"Data migration by {MASK}"),
        ("アクロに、アクロバット", f"{MASK}に、アクロバット"),
        ("株式会社 の", "株式会社 の"),
    ],
)
def test_a_partner_is_found_in_any_text_by_its_whole_name(written, left):
    assert redacted(written, hidden_of((), Others(everywhere=EVERYBODY))) == left
    assert names_any(written, EVERYBODY) == (left != written)


def test_who_is_known_to_the_reader_is_not_looked_for_among_all_partners():
    hidden = hidden_of((), Others(everywhere=EVERYBODY), [("company", "カモメ情報(株)"), ("money", Money(1, "JPY"))])
    assert redacted("カモメ情報とArc", hidden) == f"カモメ情報と{MASK}"
    assert redacted("カモメ情報とArc", hidden_of((), Others(everywhere=EVERYBODY))) == f"{MASK}と{MASK}"
