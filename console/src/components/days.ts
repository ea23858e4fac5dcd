import type { TimeZone } from "../preferences";

/** A day as it stands in an address, YYYY-MM-DD; empty where it is none, such as February 30th. */
export function day(text: string): string {
  if (!/^[12]\d{3}-\d\d-\d\d$/.test(text)) return "";
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text) ? text : "";
}

/** The first moment of a day, for bounds that include theirs. */
export function beginOf(date: string, timeZone: TimeZone): string {
  return new Date(timeZone === "utc" ? `${date}T00:00:00Z` : `${date}T00:00:00`).toISOString();
}

/** The first moment behind a day, for bounds that leave theirs out. */
export function endOf(date: string, timeZone: TimeZone): string {
  const next = new Date(`${date}T00:00:00Z`);
  next.setUTCDate(next.getUTCDate() + 1);
  return beginOf(next.toISOString().slice(0, date.length), timeZone);
}
