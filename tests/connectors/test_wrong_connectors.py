"""The contract has teeth: who is wrong in one thing fails by the test that names it; who is right passes."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import pytest
import wrong_connectors as wrong
from plain_connector import ORG, PlainConnector, PlainSandbox

from connectors.base import RelationSource, Stream
from connectors.contract import CalledContract, Story
from connectors.sandbox import seed
from connectors.sandbox.crm import Crm
from connectors.sandbox.faults import Faults

Contract = CalledContract
FULL = Contract.test_a_full_read_names_each_record_that_the_crm_has_and_no_other
INSTANT = Contract.test_what_is_saved_in_the_instant_at_which_a_round_ended_is_not_missed
STREAMS = Contract.test_every_stream_is_read_in_full_with_stamps_that_compare_as_text
BROKEN_OFF = Contract.test_a_round_broken_off_goes_on_where_it_stood_however_often_it_is_asked
DELETED = Contract.test_a_deleted_deal_comes_back_deleted_and_a_restored_one_alive
BY_ID = Contract.test_records_asked_by_id_come_in_order_and_the_gone_ones_deleted
FILTER = Contract.test_only_what_a_mapping_takes_is_read_and_what_leaves_it_comes_back_deleted
PARTNER = Contract.test_a_partner_put_on_a_deal_is_seen_and_a_partner_taken_off_is_gone
COMPLETE = Contract.test_accounts_whose_partners_a_page_calls_complete_have_all_their_deals_in_it
COUNTS = Contract.test_the_counts_are_what_a_walk_names_bucket_by_bucket
WALK = Contract.test_a_walk_names_each_record_that_the_crm_has_once_with_the_stamps_that_reading_gives
LOST = Contract.test_an_action_whose_answer_was_lost_is_unknown_and_found_by_its_key

CAUGHT_BY = {
    wrong.SkipsTies: Contract.test_records_of_one_instant_are_all_read_however_many_pages_they_fill,
    wrong.LosesTheLastPage: FULL,
    wrong.StartsARoundAfterTheLastStamp: INSTANT,
    wrong.TrustsItsOwnClock: INSTANT,
    wrong.NeverEndsARound: STREAMS,
    wrong.KeepsItsPlaceInMemory: BROKEN_OFF,
    wrong.NamesARecordTwice: Contract.test_no_page_names_a_record_twice,
    wrong.WritesStampsAsTheOrgDoes: STREAMS,
    wrong.ForgetsDeletes: DELETED,
    wrong.KeepsTheFieldsOfTheDeleted: DELETED,
    wrong.TellsNoBirth: Contract.test_a_record_tells_when_it_was_made_and_never_after_it_was_changed,
    wrong.IgnoresTheFilter: FILTER,
    wrong.SaysNothingOfWhatLeavesTheFilter: FILTER,
    wrong.KeepsPartnersForEver: PARTNER,
    wrong.CallsAPageOfChangesComplete: COMPLETE,
    wrong.CallsAStrangersDealsComplete: COMPLETE,
    wrong.LeavesOutTheGone: BY_ID,
    wrong.AnswersIdsInItsOwnOrder: BY_ID,
    wrong.LeavesAnUnknownFieldEmpty: Contract.test_an_object_or_field_that_is_not_there_needs_an_admin_and_is_named,
    wrong.CountsOneTooMany: COUNTS,
    wrong.CountsTheEndOfABucketToo: COUNTS,
    wrong.WalksOverTheDeleted: Contract.test_a_walk_does_not_name_what_was_deleted,
    wrong.WalksInCircles: WALK,
    wrong.StopsAfterThreeSteps: WALK,
    wrong.WalksOutsideItsBounds: Contract.test_a_walk_stays_within_the_time_of_creation_that_is_asked_for,
    wrong.BelievesAnyNotice: Contract.test_a_notice_that_is_not_the_crms_is_refused,
    wrong.AnswersReceiptsInItsOwnOrder: Contract.test_one_receipt_per_action_comes_back_in_order,
    wrong.SendsAgainWhenNoAnswerCame: LOST,
    wrong.CallsTheUnknownAFailure: LOST,
    wrong.OverwritesWhatAUserWrote: Contract.test_a_text_that_a_crm_user_changed_is_not_overwritten,
    wrong.RevivesWhatAUserDeleted: Contract.test_an_action_that_a_crm_user_deleted_stays_deleted,
    wrong.NeverUpdates: Contract.test_an_action_stands_once_under_its_key_and_its_text_can_be_updated,
    wrong.LetsOneBadActionStopAll: Contract.test_a_bad_action_does_not_stop_the_others,
    wrong.FindsWhateverItIsAskedFor: Contract.test_actions_that_stand_are_found_by_their_keys_and_no_others,
    wrong.NeverAsksAgain: Contract.test_a_crm_that_stumbles_once_is_asked_again,
    wrong.TakesHalfAPageForAWhole: Contract.test_half_a_page_is_never_taken_for_a_whole_one,
    wrong.CallsABusyCrmAnAdminsMatter: Contract.test_a_crm_that_stays_busy_means_try_again,
    wrong.PrintsItsToken: Contract.test_a_token_that_stays_refused_needs_an_admin_and_is_never_printed,
}


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlainSandbox]:
    crm = Crm(tmp_path_factory.mktemp("plain") / "sandbox.db")
    seed.plant(crm, whole=True)
    yield PlainSandbox(crm, Faults(crm))
    crm.close()


@pytest.fixture
def sandbox(planted: PlainSandbox) -> PlainSandbox:
    return planted


@pytest.fixture
def connector(sandbox: PlainSandbox) -> PlainConnector:
    return PlainConnector(sandbox.crm, sandbox.faults)


@pytest.fixture
def story(sandbox: PlainSandbox) -> Story:
    return Story(
        org=ORG,
        streams=(
            Stream("accounts", "Account", ("Name",)),
            Stream("contacts", "Contact", ("AccountId", "Name")),
            Stream("opportunities", "Opportunity", ("AccountId", "CloseDate", "Name", "OwnerId", "StageName")),
            Stream("relations", "OpportunityPartner", relation=RelationSource("child", "OpportunityPartner")),
            Stream("users", "User", ("Name",)),
        ),
        partners=(seed.MINATO, seed.HANBIT, seed.TSUBASA),
        deal=seed.STORY_DEAL,
        partner=seed.MINATO,
        newcomer=seed.TSUBASA,
        label="Reseller",
        name="Name",
        picklist="",
        note="Shared_With_Partners__c",
        action="Task",
        text="Description",
        owner=next(row.id for row in sandbox.crm.rows(ORG, "User")),
        reading="read opportunities",
        writing="log_actions",
        every="read",
        secrets=(PlainConnector.token,),
    )


class TestARightConnectorPasses(CalledContract):
    """All of the contract, so that what fails below fails for its one fault."""


@pytest.mark.parametrize("kind", CAUGHT_BY, ids=lambda kind: kind.__name__)
def test_a_connector_that_is_wrong_in_one_thing_is_caught_by_the_test_that_names_it(
    kind: type[PlainConnector], sandbox: PlainSandbox, story: Story
) -> None:
    promise = CAUGHT_BY[kind]
    given = {"connector": kind(sandbox.crm, sandbox.faults), "sandbox": sandbox, "story": story}
    sandbox.faults.clear()
    # AssertionError: what came was wrong; DID NOT RAISE is of pytest's own kind; KeyError: the record is not there.
    with pytest.raises((AssertionError, pytest.fail.Exception, KeyError, wrong.CrmError)):
        promise(
            CalledContract(), **{name: given[name] for name in inspect.signature(promise).parameters if name != "self"}
        )
    sandbox.faults.clear()


def test_every_wrong_connector_stands_in_the_table() -> None:
    kinds = {kind for _, kind in inspect.getmembers(wrong, inspect.isclass) if issubclass(kind, PlainConnector)}
    assert kinds - {PlainConnector} == set(CAUGHT_BY)
