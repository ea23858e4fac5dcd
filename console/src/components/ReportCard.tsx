import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator, { type StatusIndicatorProps } from "@cloudscape-design/components/status-indicator";

import type { Job } from "../api/types";
import { useSpeech, useT } from "../i18n";
import { useFormats } from "../i18n/formats";
import { CopyText } from "./CopyText";
import { ReportDownloads } from "./ReportDownloads";
import { ReportFiles } from "./ReportFiles";
import { type ReportPhase, reportPhaseOf } from "./reportPhase";
import type { JobEvent } from "./timeline";
import { UndeliveredText } from "./UndeliveredText";

interface ReportCardProps {
  job: Job;
  events: readonly JobEvent[];
  /** Undefined: it cannot be asked for now, or not by who is asking. */
  onRedeliver: (() => void) | undefined;
}

const LOOKS: Record<ReportPhase["phase"], StatusIndicatorProps.Type> = {
  off: "stopped",
  later: "pending",
  generating: "in-progress",
  undelivered: "warning",
  ready: "success",
  failed: "error",
};

/** Where a job's report is, or why it is not there; and its results as a file, whether it has one or not. */
export function ReportCard({ job, events, onRedeliver }: ReportCardProps) {
  const { t, retold } = useSpeech();
  const found = reportPhaseOf(job, events);
  return (
    <Container
      header={
        <Header variant="h2" actions={<ReportActions job={job} onRedeliver={onRedeliver} />}>
          {t("report.title")}
        </Header>
      }
    >
      <SpaceBetween size="m">
        <StatusIndicator type={LOOKS[found.phase]}>{t(`report.phase.${found.phase}`)}</StatusIndicator>
        {found.phase === "failed" && (
          <Alert
            type="error"
            header={t("report.failed")}
            action={onRedeliver && <Button onClick={onRedeliver}>{t("report.redeliver")}</Button>}
          >
            {retold(found.reason) || t("report.failed.unknown")}
            <div>{t("report.failed.text")}</div>
          </Alert>
        )}
        {found.phase === "undelivered" && (
          <Alert type="warning" header={t("report.undelivered")}>
            <SpaceBetween size="xxs">
              <UndeliveredText found={found} isFinal={job.is_final} />
              <div>{t("report.undelivered.text")}</div>
            </SpaceBetween>
          </Alert>
        )}
        {found.phase === "off" && <Box color="text-body-secondary">{t("report.off.text")}</Box>}
        {found.phase === "later" && <Box color="text-body-secondary">{t("report.later.text")}</Box>}
        {found.phase === "ready" && <ReportFacts job={job} place={found.place} />}
        {found.phase === "ready" && <ReportFiles job={job} place={found.place} />}
      </SpaceBetween>
    </Container>
  );
}

function ReportActions({ job, onRedeliver }: Omit<ReportCardProps, "events">) {
  const t = useT();
  const isDelivered = job.report.state === "delivered";
  return (
    <SpaceBetween direction="horizontal" size="xs">
      {isDelivered && onRedeliver && <Button onClick={onRedeliver}>{t("report.redeliver")}</Button>}
      <ReportDownloads jobId={job.job_id} progress={job.progress_summary} />
    </SpaceBetween>
  );
}

interface PlacedProps {
  job: Job;
  place: Extract<ReportPhase, { phase: "ready" }>["place"];
}

function ReportFacts({ job, place }: PlacedProps) {
  const t = useT();
  const formats = useFormats();
  const { number_of_tasks_succeeded: succeeded, number_of_tasks_failed: failed } = job.progress_summary;
  const scope = job.request.report.report_scope ?? "AllTasks";
  return (
    <KeyValuePairs
      columns={3}
      items={[
        { label: t("job.summary.report-bucket"), value: <CopyText text={place.bucket} /> },
        { label: t("report.path"), value: <CopyText text={place.key} /> },
        { label: t("report.location"), value: <CopyText text={place.location} /> },
        { label: t("report.scope"), value: t(`job.summary.report.${scope}`) },
        { label: t("report.rows-succeeded"), value: formats.count(scope === "AllTasks" ? succeeded : 0) },
        { label: t("report.rows-failed"), value: formats.count(failed) },
      ]}
    />
  );
}
