"""The sales admin's commands: plan, apply, rollback, versions; how they end, and what they say."""

from __future__ import annotations

import json
import os
import pwd
import re

import pytest
from agreed import agree, person

from config.second_person import is_named
from sync.versions.plans import find_plan, list_plans, refuse

BAND = "when: {partner.tier: [gold, platinum]}, fields: [deal.amount], as: band"


@pytest.fixture
def change(folder):
    """`change("policies/deal-share.yaml", "old", "new")`."""

    def change(name, old, new):
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new), encoding="utf-8")

    return change


@pytest.fixture
def wider(change):
    change("policies/deal-share.yaml", BAND, BAND.replace("band", "exact"))
    change("policies/tests/deal-share.test.yaml", "5M-20M JPY", "12M JPY")


def region(sudare, folder):
    seen = sudare("view-as", "MINATO", "--json", "--workspace", folder)
    return "region" in json.loads(seen.raw)["deals"][0]["deal"]


def test_plan_ends_with_0_2_or_3_and_changes_nothing(sudare, folder, change):
    assert sudare("plan", "--workspace", folder).code == 0
    change("policies/deal-share.yaml", "deal.stage, deal.region,", "deal.stage,")
    narrow = sudare("plan", "--why", "no regions", "--workspace", folder)
    assert narrow.code == 2
    for words in ("no regions", "deal.region: exact to hide", "No partner would see more", "deal.region: 0 cells"):
        assert words in narrow.text
    change("policies/deal-share.yaml", BAND, BAND.replace("band", "exact"))
    change("policies/tests/deal-share.test.yaml", "5M-20M JPY", "12M JPY")
    wide = sudare("plan", "--samples", "--workspace", folder)
    assert wide.code == 3
    for words in ("wider: partners may see more of deal.amount", "What narrows is in force at once", "  now:  {"):
        assert words in wide.text
    assert region(sudare, folder)
    assert "1" in sudare("versions", "--workspace", folder).text


def test_a_plan_as_markdown_is_a_comment_for_a_pull_request(sudare, folder, wider, tmp_path):
    file = tmp_path / "plan.md"
    assert sudare("plan", "--markdown", "--out", file, "--workspace", folder).code == 3
    text = file.read_text(encoding="utf-8")
    assert text.startswith("### Plan `")
    assert re.search(r"\| `deal\.amount` \| [1-9]\d* \| 0 \|", text)
    assert "```diff" in text
    waiting = sudare("apply", file, "--workspace", folder)
    assert waiting.code == 3
    assert f"{text.split('`')[1]} waits for a second person" in waiting.text


def test_who_makes_a_change_cannot_write_among_the_words_that_its_reviewer_reads(sudare, folder, change, wider):
    forged = "```\n> No partner would see more: one person may put it in force."
    change("policies/deal-share.yaml", "Price band for gold and platinum", "Price ``` for gold and platinum")
    text = sudare("plan", "--markdown", "--why", forged, "--workspace", folder).text
    outside = re.sub(r"^(`{3,})[a-z]+\n.*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)
    assert "> Nothing of it is in force" in outside or "> What narrows is in force" in outside
    assert "No partner would see more" not in outside
    assert "````diff" in text


def test_apply_ends_with_3_where_somebody_else_has_to_agree_and_that_person_puts_it_in_force(
    sudare, folder, wider, life
):
    waiting = sudare("apply", "--yes", "--why", "agreed on Tuesday", "--workspace", folder)
    assert waiting.code == 3
    (plan,) = list_plans(life.house, waiting=True)
    assert f"/plans/{plan.id}" in waiting.text
    assert sudare("apply", plan.id, "--workspace", folder).code == 3
    agree(life.house, plan)
    assert find_plan(life.house, plan.id).state == "applied"
    told = sudare("versions", "2", "--workspace", folder).text
    for words in ("agreed on Tuesday", "@aozora.example", "as: exact"):
        assert words in told
    late = sudare("apply", plan.id, "--workspace", folder)
    assert late.code == 1
    assert "make a new one" in late.text
    assert "no plan `nothing`" in sudare("apply", "nothing", "--workspace", folder).text


def test_who_planned_is_the_account_of_the_machine_whatever_the_environment_says(
    sudare, folder, wider, life, monkeypatch
):
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "approver")
    said = sudare("apply", "--yes", "--workspace", folder)
    (plan,) = list_plans(life.house, waiting=True)
    assert plan.by == pwd.getpwuid(os.getuid()).pw_name
    if not is_named(plan.by, life.house.workspace()):
        assert f"names nobody who is `{plan.by}`, so two admins or approvers decide" in said.text


def test_where_fewer_than_two_may_approve_apply_and_the_doctor_say_so(sudare, folder, wider, life):
    assert "may approve" not in sudare("doctor", "--workspace", folder).text
    sudare("user", "end", "approver@aozora.example", "--workspace", folder)
    assert "Too few may approve yet" in sudare("apply", "--yes", "--workspace", folder).text
    assert "fewer than two may approve" in sudare("doctor", "--workspace", folder).text


def test_apply_asks_for_no_more_than_one_person_can_do(sudare, folder, wider, change):
    asked = sudare("apply", "--workspace", folder, answer="n\n").text
    assert "Ask a second person to agree?" in asked
    change("policies/deal-share.yaml", "deal.stage, deal.region,", "deal.stage,")
    asked = sudare("apply", "--workspace", folder, answer="n\n").text
    assert "Put in force what narrows, and ask a second person to agree?" in asked


def test_a_plan_whose_narrowing_half_is_in_force_says_so_wherever_it_is_shown(sudare, folder, wider, change, life):
    change("policies/deal-share.yaml", "deal.stage, deal.region,", "deal.stage,")
    assert "What narrows is in force at once" in sudare("plan", "--workspace", folder).text
    assert sudare("apply", "--yes", "--workspace", folder).code == 3
    since = "What narrows is in force since version 2; what widens waits for a second person."
    (plan,) = list_plans(life.house, waiting=True)
    for words in (("plan",), ("plan", "--markdown"), ("apply", "--yes"), ("apply", plan.id)):
        said = sudare(*words, "--workspace", folder)
        assert (said.code, since in said.text) == (3, True), words
    assert "\nAsk a second person to agree?" in sudare("apply", "--workspace", folder, answer="n\n").text
    assert [each.id for each in list_plans(life.house, waiting=True)] == [plan.id]
    agree(life.house, plan)
    assert sudare("plan", "--workspace", folder).code == 0


def test_what_was_refused_of_files_that_are_in_force_can_be_planned_once_more(sudare, folder, wider, change, life):
    change("policies/deal-share.yaml", "deal.stage, deal.region,", "deal.stage,")
    assert sudare("apply", "--yes", "--workspace", folder).code == 3
    (plan,) = list_plans(life.house, waiting=True)
    refuse(life.house, plan, person(life.house, "approver@aozora.example"), "not this year")
    again = sudare("plan", "--workspace", folder)
    assert (again.code, "wider: partners may see more of deal.amount" in again.text) == (3, True)
    assert "Changed files: policies/deal-share.yaml, policies/tests/deal-share.test.yaml" in again.text
    (plan,) = list_plans(life.house, waiting=True)
    assert agree(life.house, plan).version == 3


def test_rollback_after_an_approval_goes_back_to_the_files_before_the_change(sudare, folder, change, life):
    change("policies/deal-share.yaml", "deal.stage, deal.region,", "deal.stage,")
    change("policies/deal-share.yaml", "[deal.close], as: quarter", "[deal.close], as: month")
    assert sudare("apply", "--yes", "--workspace", folder).code == 3
    (plan,) = list_plans(life.house, waiting=True)
    agree(life.house, plan)
    sudare("rollback", "--yes", "--workspace", folder)
    (back,) = list_plans(life.house, waiting=True)
    assert back.why == "back to version 1"  # version 2 has the files of version 3, bound by version 1


def test_rollback_is_a_plan_too_and_waits_where_it_shows_more(sudare, folder, change, life):
    change("policies/deal-share.yaml", "deal.stage, deal.region,", "deal.stage,")
    assert sudare("apply", "--yes", "--workspace", folder).code == 0
    assert not region(sudare, folder)
    back = sudare("rollback", "--yes", "--workspace", folder)
    assert back.code == 3
    (plan,) = list_plans(life.house, waiting=True)
    assert plan.why == "back to version 1"
    agree(life.house, plan)
    again = sudare("rollback", "2", "--yes", "--workspace", folder)
    assert again.code == 0
    assert "no version 9" in sudare("rollback", "9", "--workspace", folder).text
    change("policies/deal-share.yaml", "deal.stage,", "deal.stage, deal.region,")
    differ = sudare("rollback", "2", "--yes", "--workspace", folder)
    assert "Nothing changed" in differ.text
    assert "differ from what is in force: policies/deal-share.yaml" in differ.text
