import type { Schemas } from "../api/types";
import type { TimeZone } from "../preferences";

type Point = Schemas["SeriesPointView"];

/** What a job brought in one stretch of time, for each second of it. */
export interface Throughput {
  at: string;
  /** How long the stretch is. */
  seconds: number;
  succeeded: number;
  failed: number;
  bytes: number;
}

/**
 * Of a job that goes on, the last stretch is left out while it has just begun: hardly anything can be told of it yet,
 * and it would look as if the job had stopped.
 */
export function throughputOf(points: readonly Point[], { bucketSeconds, isFinal }: Stretch): Throughput[] {
  const last = points.at(-1);
  const isTooShort = !isFinal && points.length > 1 && last !== undefined && last.seconds < bucketSeconds / 2;
  return (isTooShort ? points.slice(0, -1) : points).map(({ at, seconds, succeeded, failed, bytes_done: bytes }) => {
    const per = (count: number) => (seconds > 0 ? count / seconds : 0);
    return { at, seconds, succeeded: per(succeeded), failed: per(failed), bytes: per(bytes) };
  });
}

interface Stretch {
  bucketSeconds: number;
  /** Whether the job has ended. */
  isFinal: boolean;
}

/** A line needs two points: a single stretch is flat from where it begins to where it ends, of a second at least. */
export function drawn(found: readonly Throughput[]): readonly Throughput[] {
  const [only] = found;
  if (found.length !== 1 || !only) return found;
  const end = new Date(Date.parse(only.at) + Math.max(only.seconds, 1) * 1_000).toISOString();
  return [only, { ...only, at: end }];
}

/** The top of an axis, a little above the greatest value; never 0. */
export function topOf(values: readonly number[]): number {
  return Math.max(...values, 0) * 1.1 || 1;
}

const DAY_MS = 86_400_000;

/**
 * Words for a time axis: the time of day, with it the date where the axis is longer than a day, and as much of a second
 * as no two marks beside each other say the same.
 */
export function tickFormat(language: string, timeZone: TimeZone, spanMs: number): (at: Date) => string {
  const format = new Intl.DateTimeFormat(language, {
    ...(spanMs > DAY_MS ? { month: "short", day: "numeric" } : {}),
    hour: "2-digit",
    minute: "2-digit",
    ...(spanMs < 600_000 ? { second: "2-digit" } : {}),
    ...(spanMs < 12_000 ? { fractionalSecondDigits: spanMs < 2_500 ? 2 : 1 } : {}),
    hourCycle: "h23",
    ...(timeZone === "utc" ? { timeZone: "UTC" } : {}),
  });
  return (at) => format.format(at);
}
