import SpaceBetween from "@cloudscape-design/components/space-between";

import { isAlive, useJobEvents } from "../../api/jobQueries";
import type { Job } from "../../api/types";
import { offersFor } from "../../components/jobActions";
import { useJobActions, useMeans } from "../../components/JobActionsMenu";
import { ReportCard } from "../../components/ReportCard";
import { ReportPreview } from "../../components/ReportPreview";

export function Report({ job }: { job: Job }) {
  const { ask, modal } = useJobActions();
  const events = useJobEvents(job.job_id, isAlive(job));
  const redeliver = offersFor([job], useMeans()).find(({ action }) => action === "redeliver");
  return (
    <SpaceBetween size="l">
      <ReportCard
        job={job}
        events={events.data?.events ?? []}
        onRedeliver={
          redeliver?.whyNot === null
            ? () => {
                ask("redeliver", [job]);
              }
            : undefined
        }
      />
      <ReportPreview jobId={job.job_id} isDryRun={job.dry_run} isFinal={job.is_final} />
      {modal}
    </SpaceBetween>
  );
}
