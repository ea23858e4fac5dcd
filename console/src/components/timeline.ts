import type { JobStatus, Schemas } from "../api/types";

export type JobEvent = Schemas["JobEventView"];

/** A status that a job had, or has. */
export interface Stay {
  status: JobStatus;
  since: string;
  /** How long it stayed so, in seconds; null: it still is so. */
  seconds: number | null;
  /** Empty: the service itself. */
  by: string;
  /** Empty where the status before it had the same. */
  reason: string;
}

/** The statuses that a job went through, the oldest first, of its events. */
export function staysOf(events: readonly JobEvent[]): Stay[] {
  const moves = events.filter(({ kind }) => kind === "created" || kind === "moved");
  return moves.map(({ status, at, by, reason }, index) => {
    const [before, next] = [moves[index - 1], moves[index + 1]];
    const isToldAlready = before?.reason === reason && before.by === by;
    return {
      status,
      since: at,
      seconds: next ? secondsBetween(at, next.at) : null,
      by,
      reason: isToldAlready ? "" : reason,
    };
  });
}

/** What an event is called by: a hold may be that of a bucket, or of the report that it does not take. */
export function kindOf({ kind, reason }: Pick<JobEvent, "kind" | "reason">): string {
  const isHold = kind === "hold" || kind === "hold-ended";
  return isHold && /^[^:]+: the report is not delivered: /.test(reason) ? `${kind}.report` : kind;
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
