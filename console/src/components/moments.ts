import type { TimeZone } from "../preferences";

/** A moment as it is typed: YYYY-MM-DD, and hh:mm:ss, or a beginning of it. */
export interface TypedMoment {
  date: string;
  time: string;
}

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const MIDNIGHT = "00:00:00";
/** Without a zone: no moment yet. */
const UNFINISHED = /^([\d-]*)T([\d:]*)$/;

/**
 * ISO 8601 in UTC of what is typed in a time zone; empty where nothing is typed, and without a zone while there is no
 * whole date. A missing time is midnight.
 */
export function writeMoment({ date, time }: TypedMoment, zone: TimeZone): string {
  if (date === "" && time === "") return "";
  const unfinished = `${date}T${time}`;
  if (!DATE.test(date)) return unfinished;
  const whole = time + MIDNIGHT.slice(time.length);
  const moment = new Date(`${date}T${whole}${zone === "utc" ? "Z" : ""}`);
  return Number.isNaN(moment.getTime()) ? unfinished : iso(moment);
}

/** What stands in the two inputs for a moment, or for the beginning of one; nothing for what is neither. */
export function readMoment(text: string, zone: TimeZone): TypedMoment {
  const [, begunDate, begunTime] = UNFINISHED.exec(text) ?? [];
  if (begunDate !== undefined && begunTime !== undefined) return { date: begunDate, time: begunTime };
  const moment = new Date(text);
  if (text === "" || Number.isNaN(moment.getTime())) return { date: "", time: "" };
  const shown = zone === "utc" ? moment : new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000);
  const [date = "", time = ""] = shown.toISOString().slice(0, 19).split("T");
  return { date, time };
}

function iso(moment: Date): string {
  return moment.toISOString().replace(/\.\d+Z$/, "Z");
}
