"""The planted leaks, one row each: which function is swapped, for what, and a history that shows it."""

from __future__ import annotations

from leaks import planted
from leaks.doors import DOORS
from leaks.judged import JUDGED
from leaks.leak import MAIN, QUIET, Leak
from leaks.projected import PROJECTED
from leaks.reading import READ
from leaks.told import TOLD
from proofs.twins import Wrong

from policies import view
from policies.rulebook import Rulebook
from sync.deciding import changes, project, settle
from sync.projection import reader
from webhook_app.partner import api

_FIRST = (
    Leak(
        "sort by a hidden value",
        view.DealView,
        "_listing",
        planted.sorts_by_the_value,
        ("deals by deal.amount, 2",),
        steps=(QUIET,),
        twin=(((*MAIN, "Amount", 500_000), ("Opportunity", "D2", "Amount", 1_000)),),
    ),
    Leak(
        "filter by a hidden value",
        reader.Projection,
        "_filter",
        planted.filters_by_the_value,
        ("deals where deal.stage",),
        steps=(("relate", "D3", "SILV", "Other"),),
        twin=((("Opportunity", "D3", "StageName", "won"),),),
    ),
    Leak(
        "a total over everybody's deals",
        api,
        "_json",
        planted.counts_everything,
        ("deals by deal.name, 2",),
        steps=(QUIET,),
        twin=((("relate", "D5", "SILV", "Other"),),),
    ),
    Leak(
        "a tag over the whole record",
        api,
        "_deal_answer",
        planted.tag_of_the_record,
        ("deal D1",),
        steps=(QUIET,),
        twin=(((*MAIN, "Channel__c", None),),),
    ),
    Leak(
        "an error that says what others have",
        api,
        "_deal",
        planted.error_with_a_value,
        ("PLAT's", "SILV's"),
        steps=(("relate", "D4", "PLAT", "Other"),),
        twin=((("unrelate", "D1", "SILV"),),),
    ),
    Leak(
        "a derived field after the policy",
        Rulebook,
        "rungs",
        planted.derived_after_policy,
        steps=(QUIET,),
        twin=(((*MAIN, "Amount", 20_000_000),),),
    ),
    Leak(
        "an unknown filter is ignored",
        api,
        "read_query",
        planted.unknown_filter_ignored,
        ("wrong /api/v1/deals?deal.margin",),
        Wrong,
    ),
    Leak(
        "an event at a hidden change",
        changes.Changes,
        "compare",
        planted.event_for_everybody,
        steps=(QUIET,),
        twin=((("Opportunity", "D2", "Channel__c", None),),),
    ),
    Leak(
        "ids that count",
        project,
        "public_id",
        planted.counts_ids,
        steps=(QUIET, ("relate", "D4", "PLAT", "Other")),
        twin=((("relate", "D5", "SILV", "Other"),), ()),
    ),
    Leak(
        "search looks into hidden words",
        view.DealView,
        "words",
        planted.finds_hidden_words,
        ("deals with step",),
        steps=((*MAIN, "Region__c", "korea"),),
        twin=((QUIET,),),
    ),
    Leak(
        "search ranks by what others have",
        reader.Projection,
        "deals",
        planted.ranked_by_everybody,
        ("deals with 刷新",),
        steps=(("Opportunity", "D2", "NextStep", "send terms"),),
        twin=(
            (
                ("unrelate", "D1", "GONE"),
                ("unrelate", "D1", "REGI"),
                ("unrelate", "D1", "PLAT"),
                ("unrelate", "D1", "GOLD"),
            ),
        ),
    ),
    Leak(
        "people in the order of a hidden column",
        view.DealView,
        "_rows",
        planted.rows_by_hidden_column,
        steps=(("Opportunity", "D3", "NextStep", "send terms"), ("relate", "D3", "GOLD", "Other")),
        twin=((("Contact", "P2", "Email", "zoe@hokushin.example"),), ()),
    ),
    Leak("people in the order of inner names", reader, "_personal_body", planted.rows_by_inner_name, caught=Wrong),
    Leak(
        "changed whenever it is read",
        changes.Changes,
        "compare",
        planted.changed_whenever_read,
        steps=(("Opportunity", "D4", "NextStep", "send terms"),),
        twin=(((*MAIN, "Channel__c", None),),),
    ),
    Leak(
        "what nobody named is shown",
        Rulebook,
        "rungs",
        planted.shows_what_nobody_named,
        steps=(QUIET,),
        twin=(((*MAIN, "Channel__c", None),),),
    ),
    Leak(
        "unknown shows",
        "policies.rulebook",
        "takes_effect",
        planted.unknown_shows,
        steps=((*MAIN, "Approved__c", False),),
        twin=(((*MAIN, "Approved__c", None),),),
    ),
    Leak(
        "a deal lapses by a hidden date",
        project._Decide,
        "_lapses",
        planted.lapses_by_hidden_dates,
        steps=(("Account", "C1", "Industry", "物流"), ("wait", 4)),
        twin=(((*MAIN, "Freeze__c", "2026-11-23"),), ()),
    ),
    Leak(
        "a view outlives its share",
        changes.Changes,
        "suspend",
        planted.kept_after_unshare,
        caught=Wrong,
        steps=(("unrelate", "D1", "SILV"),),
    ),
    Leak("one pseudonym for all partners", "sync.store.identifiers", "_pseudonym", planted.same_name_for_all),
    Leak(
        "messages outlive the share",
        settle,
        "_end",
        planted.ended_without_messages,
        caught=Wrong,
        steps=(("comment", "SILV", "D1", "Which plan?"), ("unrelate", "D1", "SILV"), ("relate", "D1", "SILV", "Other")),
    ),
)
LEAKS = (*_FIRST, *JUDGED, *PROJECTED, *READ, *DOORS, *TOLD)
