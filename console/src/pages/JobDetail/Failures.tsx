import Box from "@cloudscape-design/components/box";
import Skeleton from "@cloudscape-design/components/skeleton";

import { useJobFailures } from "../../api/jobQueries";
import type { Job } from "../../api/types";
import { ErrorAlert } from "../../components/ErrorAlert";
import { FailureGroups } from "../../components/FailureGroups";
import { offersFor } from "../../components/jobActions";
import { useMeans } from "../../components/JobActionsMenu";
import { useT } from "../../i18n";

export function Failures({ job }: { job: Job }) {
  const t = useT();
  const failures = useJobFailures(job.job_id, !job.is_final);
  const retry = offersFor([job], useMeans()).find(({ action }) => action === "retry");
  if (failures.data) {
    return (
      <FailureGroups
        jobId={job.job_id}
        failures={failures.data}
        isFinal={job.is_final}
        mayRetry={retry?.whyNot === null}
        isDryRun={job.dry_run}
        retryable={job.progress_summary.number_of_tasks_retryable}
      />
    );
  }
  if (failures.isError) {
    return (
      <ErrorAlert error={failures.error} header={t("job.failures.failed")} onRetry={() => void failures.refetch()} />
    );
  }
  return (
    <Box>
      <span className="unseen">{t("shell.loading")}</span>
      <Skeleton height="200px" />
    </Box>
  );
}
