import { useSpeech } from "../i18n";
import { useFormats } from "../i18n/formats";
import { withFieldsNamed } from "./fieldNames";
import { doerOf } from "./timeline";

/** Who did something: a user, and the way they came; or the service itself. */
export function Doer({ by }: { by: string }) {
  const { t, has } = useSpeech();
  const doer = doerOf(by);
  if (!doer) return <>{t("event.by.service")}</>;
  const way = `event.way.${doer.way}`;
  return <>{doer.way ? t("event.by.user", { who: doer.who, way: has(way) ? t(way) : doer.way }) : doer.who}</>;
}

interface ReasonProps {
  reason: string;
  /** Nobody else can have written it than the service. */
  isOwn?: boolean;
}

/** Why something happened: in the user's language where the service says it, else as it was written. */
export function Reason({ reason, isOwn = false }: ReasonProps) {
  const { t, has, retold, retoldOfAnybody } = useSpeech();
  const formats = useFormats();
  const nameOf = (key: string) => (has(key) ? t(key) : null);
  const said = isOwn ? withFieldsNamed(retold(reason), nameOf) : retoldOfAnybody(reason);
  return <>{said === reason ? reason : said.replaceAll(INSTANT, (time) => formats.time(time))}</>;
}

const INSTANT = /\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z/g;
