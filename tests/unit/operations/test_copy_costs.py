"""The table of what options cost, held against the requests that are really sent."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cosbatch.model.identifiers import RegionName
from cosbatch.model.operations import CannedAcl, Directive, Grant, NewObjectMetadata, Permission, PutObjectCopy, Tag
from cosbatch.operations import copy_costs
from cosbatch.operations.copy_costs import COPY_COSTS, render_cost_table
from cosbatch.operations.copy_plan import plan_of
from tests.unit.operations.copy_rig import SOURCE, TARGET, CopyRig, profile_with

NEW = NewObjectMetadata(cache_control="no-store", user_metadata=(("shape", "square"),))
GRANT = Grant(identifier="friend", permission=Permission.READ)
TAG = (Tag(key="tier", value="cold"),)

WIRE_NAMES = {
    copy_costs.COPY: "copy",
    copy_costs.GET: "get",
    copy_costs.PUT: "put",
    copy_costs.HEAD_SOURCE: "head",
    copy_costs.HEAD_SOURCE_AGAIN: "head",
    copy_costs.GET_SOURCE_TAGS: "get_tags",
    copy_costs.PUT_TARGET_TAGS: "put_tags",
    copy_costs.GET_SOURCE_ACL: "get_acl",
    copy_costs.GET_TARGET_ACL: "get_acl",
    copy_costs.PUT_TARGET_ACL: "put_acl",
}


def params(**changes: Any) -> PutObjectCopy:
    return replace(PutObjectCopy(target_bucket=TARGET), **changes)


MERGED = {"metadata_directive": Directive.ADD, "new_object_metadata": NEW}
DATES = {"modified_since_constraint": 1}
CASES: dict[str, tuple[PutObjectCopy, str]] = {
    "default": (params(), ""),
    "class": (params(storage_class="STANDARD_IA"), ""),
    "encryption": (params(new_object_metadata=NewObjectMetadata(sse_algorithm="AES256")), ""),
    "replaced metadata": (params(metadata_directive=Directive.REPLACED, new_object_metadata=NEW), ""),
    "added metadata": (params(**MERGED), ""),
    "added metadata, no match": (params(**MERGED), "source-match"),
    "dates": (params(**DATES), ""),
    "dates compared here": (params(**DATES), "source-dates"),
    "dates compared here, no match": (params(**DATES), "source-dates source-match"),
    "dates and added metadata": (params(**DATES, **MERGED), "source-dates"),
    "replaced tags": (params(tagging_directive=Directive.REPLACED, new_object_tagging=TAG), ""),
    "replaced tags by follow-up": (
        params(tagging_directive=Directive.REPLACED, new_object_tagging=TAG),
        "tagging-replace",
    ),
    "added tags": (params(tagging_directive=Directive.ADD, new_object_tagging=TAG), ""),
    "added tags by follow-up": (params(tagging_directive=Directive.ADD, new_object_tagging=TAG), "tagging-replace"),
    "tags copied by follow-up": (params(), "tagging-copy"),
    "canned list": (params(canned_access_control_list=CannedAcl.PUBLIC_READ), ""),
    "canned list by follow-up": (params(canned_access_control_list=CannedAcl.PUBLIC_READ), "canned-acl"),
    "grants": (params(access_control_grants=(GRANT,)), ""),
    "grants by follow-up": (params(access_control_grants=(GRANT,)), "grants"),
    "copied access": (params(access_control_directive=Directive.COPY), ""),
    "added access": (params(access_control_directive=Directive.ADD, access_control_grants=(GRANT,)), ""),
    "in place": (params(target_bucket=SOURCE, storage_class="STANDARD_IA"), ""),
    "in place, replaced": (
        params(target_bucket=SOURCE, metadata_directive=Directive.REPLACED, new_object_metadata=NEW),
        "",
    ),
    "far": (params(target_region=RegionName("far")), ""),
    "far, replaced tags": (
        params(target_region=RegionName("far"), tagging_directive=Directive.REPLACED, new_object_tagging=TAG),
        "",
    ),
    "far, replaced tags by follow-up": (
        params(target_region=RegionName("far"), tagging_directive=Directive.REPLACED, new_object_tagging=TAG),
        "upload-tagging",
    ),
    "added metadata and lost tags": (params(**MERGED), "tagging-replace"),
    "far, copied tags by follow-up": (params(target_region=RegionName("far")), "upload-tagging"),
    "far, added tags": (
        params(target_region=RegionName("far"), tagging_directive=Directive.ADD, new_object_tagging=TAG),
        "",
    ),
    "far, copied access": (params(target_region=RegionName("far"), access_control_directive=Directive.COPY), ""),
    "far, added metadata": (params(target_region=RegionName("far"), **MERGED), "source-match"),
}


def rig_for(name: str) -> CopyRig:
    operation, emulated = CASES[name]
    profile = profile_with(emulated=emulated)
    rig = CopyRig(operation, profile=profile, target_profile=profile if operation.target_region else None)
    rig.put_source()
    return rig


@pytest.mark.parametrize("name", list(CASES))
async def test_a_copy_sends_what_the_table_says(name: str) -> None:
    rig = rig_for(name)
    said = rig.operation.needs(rig.facts).requests_per_object
    result = await rig.run()
    assert Counter(rig.wire.sent) == Counter(
        WIRE_NAMES[kind] for kind, count in said.items() for _ in range(int(count))
    )
    assert result.requests == sum(said.values())


def test_every_row_is_held_against_a_case() -> None:
    plans = [plan_of(rig_for(name).facts) for name in CASES]
    assert [cost.option for cost in COPY_COSTS if not any(cost.applies(plan) for plan in plans)] == []


def test_the_page_is_the_table() -> None:
    page = Path(__file__).parents[3] / "docs" / "copy-costs.md"
    assert page.read_text() == render_cost_table()


def test_needs_name_what_the_options_ask_for() -> None:
    plain = rig_for("default")
    asked = rig_for("copied access")
    assert "s3:GetObjectAcl" not in plain.operation.needs(plain.facts).source_actions
    needs = asked.operation.needs(asked.facts)
    assert "s3:GetObjectAcl" in needs.source_actions
    assert "s3:PutObjectAcl" in needs.target_actions
    assert needs.target_bucket == TARGET


def test_needs_name_what_preparing_and_looking_back_ask_for() -> None:
    rig = rig_for("default")
    needs = rig.operation.needs(rig.facts)
    assert "s3:ListBucket" in needs.source_actions
    assert {"s3:ListBucket", "s3:GetBucketVersioning"} <= set(needs.target_actions)
    assert "s3:GetObjectVersionAcl" not in needs.target_actions


def test_needs_of_a_versioned_target_name_its_versions() -> None:
    rig = CopyRig(params(canned_access_control_list=CannedAcl.PUBLIC_READ), versioned=True)
    actions = set(rig.operation.needs(rig.facts).target_actions)
    assert {"s3:ListBucketVersions", "s3:GetObjectVersionTagging", "s3:PutObjectVersionAcl"} <= actions


@pytest.mark.parametrize(("target", "source"), [(None, None), ("here", None), ("far", "here")])
def test_a_copy_says_where_its_source_is_when_that_is_another_region(target: str | None, source: str | None) -> None:
    rig = CopyRig(params())
    facts = rig.facts
    here = facts.request.region
    operation = replace(params(), target_region={None: None, "here": here}.get(target, RegionName("far")))
    plan = plan_of(replace(facts, request=replace(facts.request, operation=operation)))
    assert plan.options.source_region == (here if source else None)
