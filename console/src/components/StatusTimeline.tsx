import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { StatusIndicatorProps } from "@cloudscape-design/components/status-indicator";
import Steps, { type StepsProps } from "@cloudscape-design/components/steps";
import { useState } from "react";

import type { JobStatus } from "../api/types";
import { type Translate, useT } from "../i18n";
import { useFormats } from "../i18n/formats";
import { Doer, Reason } from "./EventWords";
import { AbsoluteTime, useNow } from "./RelativeTime";
import { type JobEvent, secondsBetween, type Stay, staysOf } from "./timeline";

const SHOWN_LAST = 8;

/** The statuses that a job went through: since when, how long, by whom, why. */
export function StatusTimeline({ events, isFinal }: { events: readonly JobEvent[]; isFinal: boolean }) {
  const t = useT();
  const [isWhole, setWhole] = useState(false);
  const stays = staysOf(events);
  const hidden = isWhole ? 0 : Math.max(0, stays.length - SHOWN_LAST);
  return (
    <SpaceBetween size="s">
      {hidden > 0 && (
        <Button
          variant="inline-link"
          onClick={() => {
            setWhole(true);
          }}
        >
          {t("job.timeline.earlier", { count: hidden })}
        </Button>
      )}
      <Steps ariaLabel={t("job.timeline")} steps={stays.slice(hidden).map((stay) => stepOf(stay, isFinal, t))} />
    </SpaceBetween>
  );
}

function stepOf(stay: Stay, isFinal: boolean, t: Translate): StepsProps.Step {
  const isPresent = stay.seconds === null;
  return {
    status: isPresent ? lookOfPresent(stay.status, isFinal) : lookOfPast(stay.status),
    statusIconAriaLabel: t(isPresent ? "job.timeline.present" : "job.timeline.past"),
    header: <Box variant="strong">{t(`status.${stay.status}`)}</Box>,
    details: <StayDetails stay={stay} isFinal={isFinal} />,
  };
}

function StayDetails({ stay, isFinal }: { stay: Stay; isFinal: boolean }) {
  const t = useT();
  const formats = useFormats();
  const now = useNow(1_000);
  const isEnd = stay.seconds === null && isFinal;
  const seconds = stay.seconds ?? secondsBetween(stay.since, new Date(now).toISOString());
  return (
    <>
      <Box fontSize="body-s" color="text-body-secondary">
        <AbsoluteTime at={stay.since} />
        {!isEnd && <> · {t("job.timeline.for", { duration: formats.duration(seconds) })}</>}
        {" · "}
        <Doer by={stay.by} />
      </Box>
      {stay.reason && (
        <Box fontSize="body-s">
          <Reason reason={stay.reason} isOwn={!stay.by} />
        </Box>
      )}
    </>
  );
}

function lookOfPresent(status: JobStatus, isFinal: boolean): StatusIndicatorProps.Type {
  if (status === "Complete") return "success";
  if (status === "Failed") return "error";
  if (isFinal || status === "Paused") return "stopped";
  if (status === "Suspended") return "warning";
  return status === "New" || status === "Ready" ? "pending" : "in-progress";
}

function lookOfPast(status: JobStatus): StatusIndicatorProps.Type {
  if (status === "Failing") return "error";
  return status === "Cancelling" ? "stopped" : "success";
}
