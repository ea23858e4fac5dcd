import { type Spoken, type SpokenForm, spokenOf } from "./spoken";

/** What a check found, in one of the service's forms; null: to be shown as the service says it. */
export function checkWordsOf(detail: string): Spoken | null {
  return spokenOf(detail, FORMS);
}

const FORMS: readonly SpokenForm[] = [
  [/^(?<file>.+) can be read and has the ETag (?<etag>\S+)$/, "check.found.manifest"],
  [
    /^the list of what failed in job (?<job>\S+) with (?<code>\S+) can be read: the service has kept it$/,
    "check.found.retry-code",
  ],
  [/^the list of what failed in job (?<job>\S+) can be read: the service has kept it$/, "check.found.retry"],
  [/^(?<share>\d+%) of the work area is free$/, "check.found.room"],
  [/^(?<share>\d+%) of the work area is free, and planning needs (?<least>\d+%)$/, "check.found.room-short"],
  [/^(?<rows>\d+) objects are to be deleted, and the job allows (?<most>\d+)$/, "check.found.deletes"],
  [/^the job names no role: the region's own credentials sign$/, "check.found.no-role"],
  [/^nothing is known of what the role's credentials may do$/, "check.found.role-unknown"],
  [/^(?<role>\S+) was assumed, narrowed to what the job does$/, "check.found.role-narrowed"],
  [
    /^(?<role>\S+) was assumed; its provider does not narrow it, so the job has all that the role may do$/,
    "check.found.role",
  ],
  [/^(?<role>\S+) may be used to write the buckets of the job$/, "check.found.role-buckets"],
  [/^(?<option>.+): a (?<store>\S+) store does it when asked$/, "check.found.option"],
  [/^(?<option>.+): a (?<store>\S+) store does not have it, and this job does without$/, "check.found.option-without"],
  [
    /^(?<option>.+): a (?<store>\S+) store does not do it by itself; that costs no further request for this job$/,
    "check.found.option-free",
  ],
  [
    /^(?<option>.+): a (?<store>\S+) store does not do it by itself; other requests stand in for it$/,
    "check.found.option-others",
  ],
  [
    /^(?<option>.+): a (?<store>\S+) store does not do it by itself; it is emulated at the cost of (?<count>\d+) more requests? for each object: (?<kinds>.+)$/,
    "check.found.option-emulated",
  ],
  [/^the store takes keys like (?<key>.+)$/, "check.found.report-keys"],
  [/^(?<bucket>\S+) is there$/, "check.found.bucket"],
  [
    /^(?<bucket>\S+) is at the endpoint of (?<region>\S+); such a store names no regions to compare$/,
    "check.found.endpoint",
  ],
  [/^(?<bucket>\S+) is in (?<region>\S+)$/, "check.found.region"],
  [/^the store does not say in which region the bucket is$/, "check.found.region-unknown"],
  [/^the bucket could not be asked$/, "check.found.not-asked"],
  [/^a (?<store>\S+) store keeps no versions: what is written over is gone$/, "check.found.store-no-versions"],
  [/^(?<bucket>\S+): it keeps no versions: what is written over or deleted is gone$/, "check.found.no-versions"],
  [
    /^(?<bucket>\S+): its versioning is suspended: what is written over or deleted without a version id is gone$/,
    "check.found.versions-suspended",
  ],
  [
    /^(?<bucket>\S+): it keeps versions: what is written over or deleted stays as an earlier version$/,
    "check.found.versions",
  ],
  [/^(?<bucket>\S+) has no object lock$/, "check.found.no-lock"],
  [/^(?<bucket>\S+) has object lock: that stands in no way of this job$/, "check.found.lock"],
  [/^the store does not tell: (?<code>\S+)$/, "check.found.not-told"],
  [/^objects of (?<bucket>\S+) can be looked at$/, "check.found.readable"],
  [
    /^objects of (?<bucket>\S+) can be looked at; (?<refused>\d+) of (?<count>\d+) that were asked for are refused$/,
    "check.found.readable-some",
  ],
  [/^none of the first rows names an object to ask with$/, "check.found.nothing-to-read"],
  [/^none of the first rows names an object that has to be there$/, "check.found.nothing-to-find"],
  [/^(?<there>\d+) of (?<count>\d+) sampled objects of the first rows are there$/, "check.found.rows"],
  [
    /^the store does not tell whether the (?<count>\d+) sampled objects of the first rows are there$/,
    "check.found.rows-unknown",
  ],
  [
    /^none of (?<count>\d+) sampled objects of the first rows is there; they may be deleted already$/,
    "check.found.rows-deleted",
  ],
  [
    /^the (?<count>\d+) sampled of the first rows are not there: too few to blame the manifest for it$/,
    "check.found.rows-few",
  ],
  [/^an upload of (?<key>.+) was begun and aborted$/, "check.found.upload"],
  [/^none of the first rows names a key that would be written$/, "check.found.nothing-to-write"],
];
