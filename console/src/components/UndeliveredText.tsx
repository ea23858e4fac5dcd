import Box from "@cloudscape-design/components/box";
import SpaceBetween from "@cloudscape-design/components/space-between";

import { useSpeech } from "../i18n";
import { AbsoluteTime } from "./RelativeTime";
import type { Undelivered } from "./reportPhase";

interface UndeliveredTextProps {
  found: Undelivered;
  /** The job has ended; else it fails where its report cannot be delivered. */
  isFinal: boolean;
}

/** Why a report is not delivered, and until when it is tried. */
export function UndeliveredText({ found, isFinal }: UndeliveredTextProps) {
  const { t, retold } = useSpeech();
  return (
    <SpaceBetween size="xxs">
      <div>
        {!found.reason.startsWith(found.bucket) && <Box variant="code">{retold(found.bucket)}</Box>}{" "}
        {retold(found.reason)}
      </div>
      {isFinal && <div>{t("report.undelivered.ended")}</div>}
      <div>
        {t("report.undelivered.since")} <AbsoluteTime at={found.since} />
      </div>
      <div>
        {t(isFinal ? "report.undelivered.until" : "report.undelivered.fails")} <AbsoluteTime at={found.until} />
      </div>
    </SpaceBetween>
  );
}
