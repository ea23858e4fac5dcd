import { useSpeech, useT } from "../i18n";
import { useFormats } from "../i18n/formats";
import { doerOf, spokenReasonOf } from "./timeline";

/** Who did something: a user, and the way they came; or the service itself. */
export function Doer({ by }: { by: string }) {
  const { t, has } = useSpeech();
  const doer = doerOf(by);
  if (!doer) return <>{t("event.by.service")}</>;
  const way = `event.way.${doer.way}`;
  return <>{doer.way ? t("event.by.user", { who: doer.who, way: has(way) ? t(way) : doer.way }) : doer.who}</>;
}

/** Why something happened: in the user's language where the service says it in a form of its own, else as it says it. */
export function Reason({ reason }: { reason: string }) {
  const t = useT();
  const formats = useFormats();
  const spoken = spokenReasonOf(reason);
  if (!spoken) return <>{reason}</>;
  const { time, ...values } = spoken.values;
  return <>{t(spoken.key, time ? { ...values, time: formats.time(time) } : values)}</>;
}
