import { type TimeZone, usePreferences } from "../preferences";
import { useSpeech } from "./index";

const BYTE_UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte", "petabyte"] as const;
const STEPS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

export interface Formats {
  count: (value: number) => string;
  /** A share of 0 to 1, with one decimal. */
  percent: (share: number) => string;
  bytes: (value: number) => string;
  /** For example 12.3; units are said by the text around it. */
  rate: (perSecond: number) => string;
  /** An amount of money, with two decimals, or four where it is less than one; the currency is said around it. */
  money: (amount: number) => string;
  /** A length of time in seconds: the two greatest units. */
  duration: (seconds: number) => string;
  /** A time that the API told, in the time zone that the user chose. */
  time: (iso: string) => string;
  /** The same in UTC, for tooltips. */
  timeUtc: (iso: string) => string;
  /** How long ago, or in how long. */
  relative: (iso: string, now: number, style?: "long" | "short") => string;
}

const made = new Map<string, Formats>();

/** One for all who ask: what the browser needs to write numbers and times takes it long to make. */
export function formatsOf(language: string, timeZone: TimeZone): Formats {
  const key = `${language} ${timeZone}`;
  const found = made.get(key) ?? createFormats(language, timeZone);
  made.set(key, found);
  return found;
}

function createFormats(language: string, timeZone: TimeZone): Formats {
  const count = new Intl.NumberFormat(language);
  const percent = new Intl.NumberFormat(language, {
    style: "percent",
    minimumFractionDigits: 1,
    maximumFractionDigits: 1,
  });
  const rate = new Intl.NumberFormat(language, { maximumSignificantDigits: 3 });
  const money = new Intl.NumberFormat(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const cents = new Intl.NumberFormat(language, { minimumFractionDigits: 4, maximumFractionDigits: 4 });
  const time = new Intl.DateTimeFormat(language, {
    dateStyle: "medium",
    timeStyle: "medium",
    ...(timeZone === "utc" ? { timeZone: "UTC" } : {}),
  });
  const utc = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "long", timeZone: "UTC" });
  // "Tomorrow" would be a day of the calendar, and not what comes in a day and more.
  const relatives = {
    long: new Intl.RelativeTimeFormat(language),
    short: new Intl.RelativeTimeFormat(language, { style: "short" }),
  };
  const present = new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(0, "second");
  const units = new Map<string, Intl.NumberFormat>();
  const unit = (name: string, unitDisplay: "long" | "short" | "narrow", maximumFractionDigits = 0) => {
    const found =
      units.get(`${name} ${unitDisplay}`) ??
      new Intl.NumberFormat(language, { style: "unit", unit: name, unitDisplay, maximumFractionDigits });
    units.set(`${name} ${unitDisplay}`, found);
    return found;
  };
  return {
    count: (value) => count.format(value),
    percent: (share) => percent.format(share),
    bytes: (value) => {
      const step = value < 1 ? 0 : Math.min(Math.floor(Math.log10(value) / 3), BYTE_UNITS.length - 1);
      const name = BYTE_UNITS[step] ?? "byte";
      const written = step === 0 ? unit(name, "long") : unit(name, "short", 1);
      return written.format(value / 1000 ** step);
    },
    rate: (perSecond) => rate.format(perSecond),
    money: (amount) => (amount < 1 ? cents : money).format(amount),
    duration: (seconds) => {
      const whole = Math.max(0, Math.round(seconds));
      const parts: [string, number][] = [
        ["day", Math.floor(whole / 86_400)],
        ["hour", Math.floor((whole % 86_400) / 3_600)],
        ["minute", Math.floor((whole % 3_600) / 60)],
        ["second", whole % 60],
      ];
      const first = parts.findIndex(([, value]) => value > 0);
      if (first < 0) return unit("second", "narrow").format(0);
      return parts
        .slice(first, first + 2)
        .filter(([, value], index) => index === 0 || value > 0)
        .map(([name, value]) => unit(name, "narrow").format(value))
        .join(" ");
    },
    time: (iso) => time.format(new Date(iso)),
    timeUtc: (iso) => utc.format(new Date(iso)),
    relative: (iso, now, style = "long") => {
      const relative = relatives[style];
      const seconds = (new Date(iso).getTime() - now) / 1000;
      for (const [name, size] of STEPS) {
        if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), name);
      }
      const whole = Math.trunc(seconds);
      return whole === 0 ? present : relative.format(whole, "second");
    },
  };
}

export function useFormats(): Formats {
  const { language } = useSpeech();
  const { timeZone } = usePreferences().preferences;
  return formatsOf(language, timeZone);
}
