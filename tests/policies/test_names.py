"""The ways in which a person, a company, an address and a short text are looked for in free text."""

from __future__ import annotations

import pytest

from policies.names import Spelling, Where, company, mail, person, registered, text

_ONLY = {
    Where.ANYWHERE: "",
    Where.WORD: "word ",
    Where.CAPITAL: "capital ",
    Where.START: "start ",
    Where.TITLED: "titled ",
}


def looked_for(spellings: list[Spelling]) -> list[str]:
    """Each spelling, after where alone it counts."""
    return sorted({_ONLY[each.where] + each.text for each in spellings})


@pytest.mark.parametrize(
    ("kind", "value", "spelled"),
    [
        (person, "田中太郎", ["titled 田", "titled 郎", "中太郎", "太郎", "田中", "田中太", "田中太郎"]),
        (person, "田中 太郎 様", ["太郎", "太郎田中", "田中", "田中太郎"]),
        (person, "佐々木健", ["titled 佐", "titled 健", "々木健", "佐々", "佐々木", "佐々木健", "木健"]),
        (person, "山田", ["titled 山", "titled 田", "山田"]),
        (person, "一二三四五六", ["titled 一", "一二", "一二三", "一二三四五六", "三四五六", "二三四五六", "四五六"]),
        (person, "一二三四五六七", ["一二三四五六七"]),
        (person, "김민수", ["start 민수", "titled 김", "김민수"]),
        (person, "황보라", ["start 보라", "start 황보", "titled 라", "titled 황", "황보라"]),
        (person, "남궁민수", ["start 남궁", "start 민수", "titled 남", "궁민수", "남궁민수"]),
        (person, "남궁", ["start 남궁", "titled 궁", "titled 남"]),
        (person, "김", ["titled 김"]),
        (person, "J", []),
        (person, "Dr. Jane van der Berg",
         ["bergjane", "janeberg", "janevanderberg", "vanderberg",
          "word berg", "word bjane", "word jane", "word jberg"]),
        (person, "Jane Doe-Smith",
         ["doesmith", "doesmithjane", "janedoesmith", "word djane", "word jane", "word jdoesmith"]),
        (person, "Kim 민수", ["capital kim", "kim민수", "start 민수", "민수kim"]),
        (person, "Ann Mary Baker",
         ["annmarybaker", "baker", "bakermaryann", "capital ann", "marybakerann",
          "word abaker", "word bann", "word mary"]),
        (person, "Anna [アンナ] Baker", ["baker", "word anna", "あんな"]),
        (person, "Bo Li", ["capital bo", "capital li", "word bli", "word boli", "word lbo", "word libo"]),
        (person, "mr smith", ["smith"]),
        (person, "김부장님", ["titled 김"]),
        (person, "Jane 太郎", ["jane太郎", "word jane", "太郎", "太郎jane"]),
        (person, "Jane 3 - Roe",
         ["3roejane", "capital roe", "jane3roe", "roe3jane", "word jane", "word jroe", "word rjane"]),
        (person, "ムーア ン", ["titled ん", "むーあ", "むーあん", "んむーあ"]),
        (person, "田太 中", ["titled 中", "中田太", "田太", "田太中"]),
        (company, "株式会社北辰製作所", ["北辰", "北辰製作所", "株式会社北辰製作所"]),
        (company, "Nordwind Logistik GmbH", ["nordwind", "nordwindlogistik", "nordwindlogistikgmbh"]),
        (company, "한빛물산 주식회사", ["start 한빛", "한빛물산", "한빛물산주식회사"]),
        (company, "Global Blue Systems Inc.", ["globalblue", "globalbluesystems", "globalbluesystemsinc"]),
        (company, "Blue Data", ["bluedata"]),
        (company, "Nord Systems", ["nordsystems", "word nord"]),
        (company, "(株)青", ["株青"]),
        (company, "Acme, Inc.", ["acmeinc", "word acme"]),
        (company, "青商事", ["青商事"]),
        (company, "青空商事", ["青空", "青空商事"]),
        (company, "ABC工業", ["abc工業", "capital abc"]),
        (company, "Alpha Beta Group", ["alpha", "alphabeta", "alphabetagroup"]),
        (company, "Nordwind", ["nordwind"]),
        (company, "Alpha Beta Gamma", ["alpha", "alphabetagamma"]),
        (company, "Abc Parcel", ["abcparcel"]),
        (company, "AT&T Corp", ["attcorp", "word att"]),
        (mail, "taro.tanaka@hokushin.example", ["hokushinexample", "tarotanakahokushinexample", "word tarotanaka"]),
        (mail, "abcdef@gmail.com", ["abcdefgmailcom", "word abcdef"]),
        (mail, "abcde@naver.com", ["abcdenavercom"]),
        (mail, "a@b@c.example", ["abcexample", "cexample"]),
        (text, "Harbour Renewal 2027; Phase two", ["harbourrenewal2027", "harbourrenewal2027phasetwo", "phasetwo"]),
        (text, "abc\nabcd", ["abcabcd", "word abcd"]),
        (text, "a", []),
        (text, "ab", ["word ab"]),
        (text, "abcd|efghi", ["abcdefghi", "efghi", "word abcd"]),
        (text, "北", []),
        (text, "北辰", ["北辰"]),
    ],
)  # fmt: skip
def test_a_value_is_looked_for_whole_and_by_the_parts_that_say_enough(kind, value, spelled):
    assert looked_for(list(kind(value))) == sorted(spelled)


def test_of_a_value_without_end_the_beginning_is_looked_for():
    assert looked_for(list(text("x" * 200))) == ["x" * 200]
    assert looked_for(list(text("x" * 201))) == []
    for kind in (person, company, mail):
        assert looked_for(list(kind("x" * 300))) == ["x" * 200]


@pytest.mark.parametrize(
    ("value", "spelled"),
    [
        ("株式会社ミナト商会", ["みなと商会", "株式会社みなと商会"]),
        ("Kestrel Partners Inc.", ["word kestrelpartners", "word kestrelpartnersinc"]),
        ("Kestrel", ["word kestrel"]),
        ("Arc Ltd", ["capital arc", "word arcltd"]),
        ("카카오 주식회사", ["start 카카오", "start 카카오주식회사"]),
        ("ABC工業", ["abc工業"]),
    ],
)  # fmt: skip
def test_a_company_that_nothing_speaks_of_is_looked_for_by_its_whole_name(value, spelled):
    assert looked_for(list(registered(value))) == sorted(spelled)


@pytest.mark.parametrize("value", ["株式会社青空", "Data Inc", "青空", "(株)青空", "HP Inc.", "Global"])
def test_a_company_whose_name_could_be_any_word_is_looked_for_beside_its_legal_form(value):
    spelled = {each.text for each in registered(value)}
    assert len(spelled) > 5
    assert not spelled & {"青空", "data", "hp", "global"}
    assert spelled & {"株青空", "datainc", "hpinc", "globalltd"}


def test_nothing_is_looked_for_where_there_is_no_name():
    assert [*registered(""), *registered("株式会社"), *registered("-")] == []
