import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import SpaceBetween from "@cloudscape-design/components/space-between";

import type { Job, JobStatus } from "../../api/types";
import { CopyText } from "../../components/CopyText";
import { reportHref } from "../../components/failures";
import { StatusTag } from "../../components/StatusTag";
import { useT } from "../../i18n";

/** Below a job's name: its status, its id, where it runs, who made it. */
export function JobLine({ job }: { job: Job }) {
  const t = useT();
  return (
    <Box fontSize="body-m">
      <SpaceBetween direction="horizontal" size="m" alignItems="center">
        <StatusTag status={job.status} isDryRun={job.dry_run} />
        <CopyText text={job.job_id} />
        <span>{t(`operation.${job.operation_name}`)}</span>
        <span>{t("job.region", { name: job.region })}</span>
        {job.creator && <span>{t("job.creator", { name: job.creator })}</span>}
      </SpaceBetween>
    </Box>
  );
}

const ENDING: ReadonlySet<JobStatus> = new Set(["Completing", "Cancelling", "Failing"]);

/** In place of the actions while a job comes to its end: nothing can be done but wait. */
export function EndingButton({ job }: { job: Job }) {
  const t = useT();
  if (!ENDING.has(job.status)) return null;
  const text = t(`status.${job.status}`);
  return (
    <Button loading loadingText={text}>
      {text}
    </Button>
  );
}

/** The results of a job that has ended. */
export function ReportButton({ job }: { job: Job }) {
  const t = useT();
  const { number_of_tasks_succeeded: succeeded, number_of_tasks_failed: failed } = job.progress_summary;
  if (!job.is_final || succeeded + failed === 0) return null;
  return (
    <Button iconName="download" href={reportHref(job.job_id)} download>
      {t("report.download")}
    </Button>
  );
}
