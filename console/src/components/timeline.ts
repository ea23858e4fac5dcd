import type { JobStatus, Schemas } from "../api/types";
import type { TextKey } from "../i18n";

export type JobEvent = Schemas["JobEventView"];

/** A status that a job had, or has. */
export interface Stay {
  status: JobStatus;
  since: string;
  /** How long it stayed so, in seconds; null: it still is so. */
  seconds: number | null;
  /** Empty: the service itself. */
  by: string;
  reason: string;
}

/** The statuses that a job went through, the oldest first, of its events. */
export function staysOf(events: readonly JobEvent[]): Stay[] {
  const moves = events.filter(({ kind }) => kind === "created" || kind === "moved");
  return moves.map(({ status, at, by, reason }, index) => {
    const next = moves[index + 1];
    return { status, since: at, seconds: next ? secondsBetween(at, next.at) : null, by, reason };
  });
}

export function secondsBetween(from: string, to: string): number {
  return Math.max(0, (Date.parse(to) - Date.parse(from)) / 1_000);
}

/** Who did something and the way they came, of `alice via rest`; null for the service itself. */
export function doerOf(by: string): { who: string; way: string } | null {
  if (!by) return null;
  const found = /^(.*) via (\S+)$/.exec(by);
  return found ? { who: found[1] ?? "", way: found[2] ?? "" } : { who: by, way: "" };
}

/** A reason of the service's own, to be said in the user's language. */
export interface SpokenReason {
  key: TextKey;
  values: Record<string, string>;
}

/** What the service says in one of its own fixed forms; null: somebody else's words, to be shown as they are. */
export function spokenReasonOf(reason: string): SpokenReason | null {
  for (const [form, key] of FORMS) {
    const found = form.exec(reason);
    if (found) return { key, values: { ...found.groups } };
  }
  return null;
}

const FORMS: readonly (readonly [RegExp, TextKey])[] = [
  [/^asked for$/, "event.reason.created"],
  [/^the manifest is being read$/, "event.reason.planning"],
  [/^planned$/, "event.reason.planned"],
  [/^awaiting confirmation$/, "event.reason.confirmation"],
  [/^awaiting confirmation: (?<count>\d+) objects or versions are to be deleted$/, "event.reason.confirmation.delete"],
  [/^nobody confirmed the job within (?<days>[\d.]+) days$/, "event.reason.expired"],
  [/^its turn in the queue$/, "event.reason.turn"],
  [/^no job of a greater priority needs workers$/, "event.reason.no-greater"],
  [/^waits for job (?<job>\S+), which has priority (?<priority>\d+)$/, "event.reason.waits"],
  [/^pre-empted by job (?<job>\S+), which has priority (?<priority>\d+)$/, "event.reason.pre-empted"],
  [/^one of its windows is open$/, "event.reason.window-open"],
  [/^outside its windows until (?<time>\d\S+)$/, "event.reason.window-shut"],
  [/^outside its windows, of which none opens within a week$/, "event.reason.no-window"],
  [/^every task has a result$/, "event.reason.all-done"],
  [
    /^(?<failed>\d+) of (?<executed>\d+) tasks failed; the job's threshold is (?<limit>[\d.]+%)$/,
    "event.reason.threshold",
  ],
  [/^confirmed by user$/, "event.reason.confirmed"],
  [/^cancelled by user$/, "event.reason.cancelled"],
  [/^paused by user$/, "event.reason.paused"],
  [/^resumed by user$/, "event.reason.resumed"],
  [/^pending: asked for once more$/, "event.reason.redelivered"],
  [/^delivered: (?<location>.+)$/s, "event.reason.delivered"],
  [/^failed: (?<why>.+)$/s, "event.reason.not-delivered"],
];
