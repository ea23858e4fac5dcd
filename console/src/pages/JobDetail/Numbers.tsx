import Box from "@cloudscape-design/components/box";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import Link from "@cloudscape-design/components/link";
import Popover from "@cloudscape-design/components/popover";
import type { ReactNode } from "react";

import type { Job } from "../../api/types";
import { useNow } from "../../components/RelativeTime";
import { secondsBetween } from "../../components/timeline";
import { type TextKey, useT } from "../../i18n";
import { useFormats } from "../../i18n/formats";
import { hasSizes } from "./sizes";

interface NumbersProps {
  job: Job;
  pace: { perSecond: number | null; etaSeconds: number | null };
}

/** How much a job has done, how much is left, how fast it goes. */
export function Numbers({ job, pace }: NumbersProps) {
  const t = useT();
  const formats = useFormats();
  const progress = job.progress_summary;
  const failed = progress.number_of_tasks_failed;
  const count = (value: number | null) => (value === null ? "-" : formats.count(value));
  const pair = (label: TextKey, value: ReactNode) => ({ label: t(label), value });
  return (
    <KeyValuePairs
      columns={4}
      minColumnWidth={140}
      items={[
        pair("job.total", count(progress.total_number_of_tasks)),
        pair("job.succeeded", formats.count(progress.number_of_tasks_succeeded)),
        pair(
          "job.failed-objects",
          failed > 0 ? (
            <Link href="#failures" color="normal">
              <Box variant="span" color="text-status-error" fontWeight="bold">
                {formats.count(failed)}
              </Box>
            </Link>
          ) : (
            "0"
          ),
        ),
        pair("job.remaining", count(progress.number_of_tasks_remaining)),
        pair("job.rate", pace.perSecond === null ? "-" : t("job.rate.value", { rate: formats.rate(pace.perSecond) })),
        pair("job.eta", pace.etaSeconds === null ? "-" : formats.duration(pace.etaSeconds)),
        pair("job.elapsed", <Elapsed job={job} />),
        {
          ...pair("job.skipped", formats.count(progress.number_of_tasks_skipped)),
          info: (
            <Popover dismissButton={false} size="medium" triggerType="text" content={t("job.skipped.why")}>
              <Box variant="small">{t("job.why")}</Box>
            </Popover>
          ),
        },
        pair("job.bytes", hasSizes(job) ? formats.bytes(progress.bytes_done) : t("check.estimate.unknown")),
        pair("job.requests", formats.count(progress.requests)),
      ]}
    />
  );
}

/** Since it began to work on objects. */
function Elapsed({ job }: { job: Job }) {
  const formats = useFormats();
  const now = useNow(1_000);
  if (!job.started_time) return <>-</>;
  const end = job.termination_date ?? new Date(now).toISOString();
  return <>{formats.duration(secondsBetween(job.started_time, end))}</>;
}
