import type { TimeZone } from "../preferences";

/** A moment as it is typed: YYYY-MM-DD, and hh:mm:ss, or a beginning of it. */
export interface TypedMoment {
  date: string;
  time: string;
}

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const MIDNIGHT = "00:00:00";

/** ISO 8601 in UTC of what is typed in a time zone; empty while there is no whole date. A missing time is midnight. */
export function writeMoment({ date, time }: TypedMoment, zone: TimeZone): string {
  if (!DATE.test(date)) return "";
  const whole = time + MIDNIGHT.slice(time.length);
  const moment = new Date(`${date}T${whole}${zone === "utc" ? "Z" : ""}`);
  return Number.isNaN(moment.getTime()) ? "" : iso(moment);
}

/** What stands in the two inputs for a moment; nothing for what is none. */
export function readMoment(text: string, zone: TimeZone): TypedMoment {
  const moment = new Date(text);
  if (text === "" || Number.isNaN(moment.getTime())) return { date: "", time: "" };
  const shown = zone === "utc" ? moment : new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000);
  const [date = "", time = ""] = shown.toISOString().slice(0, 19).split("T");
  return { date, time };
}

function iso(moment: Date): string {
  return moment.toISOString().replace(/\.\d+Z$/, "Z");
}
