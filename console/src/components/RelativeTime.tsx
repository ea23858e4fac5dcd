import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from "react";

import { useFormats } from "../i18n/formats";
import { useBeat } from "./beat";

const TICK_MS = 10_000;

interface RelativeTimeProps {
  at: string;
  /** Where there is little room. */
  isShort?: boolean;
}

/** How long ago something was; the time itself, and in UTC, on hovering over it. */
export function RelativeTime({ at, isShort = false }: RelativeTimeProps) {
  const formats = useFormats();
  const beat = useBeat();
  const onBeat = useCallback((changed: () => void) => beat(TICK_MS, changed), [beat]);
  const text = useSyncExternalStore(onBeat, () => formats.relative(at, Date.now(), isShort ? "short" : "long"));
  const title = useMemo(() => `${formats.time(at)} (${formats.timeUtc(at)})`, [formats, at]);
  return (
    <time dateTime={at} title={title}>
      {text}
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
  const beat = useBeat();
  const [now, setNow] = useState(() => Date.now());
  useEffect(
    () =>
      beat(tickMs, () => {
        setNow(Date.now());
      }),
    [beat, tickMs],
  );
  return now;
}
