import Badge from "@cloudscape-design/components/badge";
import StatusIndicator, { type StatusIndicatorProps } from "@cloudscape-design/components/status-indicator";

import type { JobStatus } from "../api/types";
import { useT } from "../i18n";

const LOOKS: Record<JobStatus, { type: StatusIndicatorProps.Type; color?: StatusIndicatorProps.Color }> = {
  New: { type: "pending" },
  Preparing: { type: "in-progress" },
  Suspended: { type: "warning" },
  Ready: { type: "pending", color: "blue" },
  Active: { type: "in-progress", color: "blue" },
  Pausing: { type: "in-progress" },
  Paused: { type: "stopped" },
  Completing: { type: "in-progress", color: "blue" },
  Complete: { type: "success" },
  Cancelling: { type: "in-progress" },
  Cancelled: { type: "stopped" },
  Failing: { type: "in-progress", color: "red" },
  Failed: { type: "error" },
};

interface StatusTagProps {
  status: JobStatus;
  isDryRun?: boolean;
}

/** The status of a job in words, with an icon; and whether the job only tries. */
export function StatusTag({ status, isDryRun = false }: StatusTagProps) {
  const t = useT();
  const { type, color } = LOOKS[status];
  return (
    <>
      <StatusIndicator type={type} {...(color ? { colorOverride: color } : {})}>
        {t(`status.${status}`)}
      </StatusIndicator>
      {isDryRun && (
        <>
          {" "}
          <Badge>{t("status.dry-run")}</Badge>
        </>
      )}
    </>
  );
}
