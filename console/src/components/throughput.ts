import type { Schemas } from "../api/types";
import type { TimeZone } from "../preferences";

type Point = Schemas["SeriesPointView"];

/** What a job brought in one stretch of time, for each second of it. */
export interface Throughput {
  at: string;
  succeeded: number;
  failed: number;
  bytes: number;
}

export function throughputOf(points: readonly Point[]): Throughput[] {
  return points.map(({ at, seconds, succeeded, failed, bytes_done: bytes }) => {
    const per = (count: number) => (seconds > 0 ? count / seconds : 0);
    return { at, succeeded: per(succeeded), failed: per(failed), bytes: per(bytes) };
  });
}

/** A line needs two points: before the first result there was nothing. */
export function drawn(found: readonly Throughput[], bucketSeconds: number): readonly Throughput[] {
  const [first] = found;
  if (found.length !== 1 || !first) return found;
  const before = new Date(Date.parse(first.at) - bucketSeconds * 1_000).toISOString();
  return [{ at: before, succeeded: 0, failed: 0, bytes: 0 }, first];
}

/** The top of an axis, a little above the greatest value; never 0. */
export function topOf(values: readonly number[]): number {
  return Math.max(...values, 0) * 1.1 || 1;
}

const DAY_MS = 86_400_000;

/** Words for a time axis: the time of day, and with it the date where the axis is longer than a day. */
export function tickFormat(language: string, timeZone: TimeZone, spanMs: number): (at: Date) => string {
  const format = new Intl.DateTimeFormat(language, {
    ...(spanMs > DAY_MS ? { month: "short", day: "numeric" } : {}),
    hour: "2-digit",
    minute: "2-digit",
    ...(spanMs < 600_000 ? { second: "2-digit" } : {}),
    hourCycle: "h23",
    ...(timeZone === "utc" ? { timeZone: "UTC" } : {}),
  });
  return (at) => format.format(at);
}
