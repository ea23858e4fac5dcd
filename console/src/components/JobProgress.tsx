import "./JobProgress.css";

import type { Progress } from "../api/types";
import { useT } from "../i18n";
import { useFormats } from "../i18n/formats";
import { sharesOf } from "./jobProgressShares";

interface JobProgressProps {
  progress: Progress;
  /** A job that ended before it was counted has no progress to show. */
  isFinal: boolean;
  /** In a table's row. */
  isCompact?: boolean;
  /** What progresses, for whoever hears the page: the job's name. */
  name: string;
}

/** How far a job is: what succeeded, and behind it what failed. */
export function JobProgress({ progress, isFinal, isCompact = false, name }: JobProgressProps) {
  const t = useT();
  const formats = useFormats();
  const shares = sharesOf(progress);
  if (!shares && isFinal) return <>{t("jobs.none")}</>;
  const told = shares
    ? t("jobs.progress.told", {
        percent: formats.percent(shares.done),
        succeeded: formats.count(progress.number_of_tasks_succeeded),
        failed: formats.count(progress.number_of_tasks_failed),
        total: formats.count(progress.total_number_of_tasks ?? 0),
      })
    : t("jobs.progress.counting");
  return (
    <div className={isCompact ? "job-progress job-progress-compact" : "job-progress"} title={told}>
      <div
        className="job-progress-track"
        role="progressbar"
        aria-label={t("jobs.progress.of", { name })}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuetext={told}
        {...(shares ? { "aria-valuenow": Math.round(shares.done * 1_000) / 10 } : {})}
      >
        {shares ? (
          <>
            <div className="job-progress-succeeded" style={{ width: `${shares.succeeded * 100}%` }} />
            {shares.failed > 0 && <div className="job-progress-failed" style={{ width: `${shares.failed * 100}%` }} />}
          </>
        ) : (
          <div className="job-progress-counting" />
        )}
      </div>
      <span className="job-progress-text" aria-hidden>
        {shares ? formats.percent(shares.done) : told}
      </span>
    </div>
  );
}
