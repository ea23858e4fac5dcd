import { useEffect, useState } from "react";

import { useFormats } from "../i18n/formats";

const TICK_MS = 10_000;

interface RelativeTimeProps {
  at: string;
  /** Where there is little room. */
  isShort?: boolean;
}

/** How long ago something was; the time itself, and in UTC, on hovering over it. */
export function RelativeTime({ at, isShort = false }: RelativeTimeProps) {
  const formats = useFormats();
  const now = useNow();
  return (
    <time dateTime={at} title={`${formats.time(at)} (${formats.timeUtc(at)})`}>
      {formats.relative(at, now, isShort ? "short" : "long")}
    </time>
  );
}

/** A time in the chosen time zone; in UTC on hovering over it. */
export function AbsoluteTime({ at }: { at: string }) {
  const formats = useFormats();
  return (
    <time dateTime={at} title={formats.timeUtc(at)}>
      {formats.time(at)}
    </time>
  );
}

/** The present, in milliseconds, told again each few seconds. */
export function useNow(tickMs = TICK_MS): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => {
      setNow(Date.now());
    }, tickMs);
    return () => {
      clearInterval(timer);
    };
  }, [tickMs]);
  return now;
}
