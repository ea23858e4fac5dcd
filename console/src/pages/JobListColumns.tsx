import Button from "@cloudscape-design/components/button";
import CopyToClipboard from "@cloudscape-design/components/copy-to-clipboard";
import Link from "@cloudscape-design/components/link";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { TableProps } from "@cloudscape-design/components/table";
import { memo, type ReactNode, useMemo } from "react";

import type { JobAction, ListedJob } from "../api/types";
import { type ActionJob, type Means, nameOf, offersFor, shortId } from "../components/jobActions";
import { JobProgress } from "../components/JobProgress";
import { RelativeTime } from "../components/RelativeTime";
import { StatusTag } from "../components/StatusTag";
import { type TextKey, type Translate, useSpeech, useT } from "../i18n";
import { type Formats, useFormats } from "../i18n/formats";
import type { JobSort } from "./jobListView";
import { type Widths, widthsIn } from "./jobListWidths";
import { JobNote } from "./JobNote";

export type ColumnId =
  | "id"
  | "description"
  | "operation"
  | "status"
  | "priority"
  | "progress"
  | "total"
  | "failed"
  | "rate"
  | "eta"
  | "created"
  | "finished"
  | "region"
  | "manifest"
  | "destination"
  | "creator"
  | "report";

interface Column {
  id: ColumnId;
  width: number;
  sort?: JobSort;
  isAlwaysShown?: boolean;
}

/** All columns in their usual order, with the widths that their contents need in both languages. */
export const COLUMNS: readonly Column[] = [
  { id: "id", width: 150, isAlwaysShown: true },
  { id: "description", width: 200 },
  { id: "operation", width: 140 },
  { id: "status", width: 150, isAlwaysShown: true },
  { id: "priority", width: 119, sort: "priority" },
  { id: "progress", width: 130, sort: "progress" },
  { id: "total", width: 118, sort: "total" },
  { id: "failed", width: 106, sort: "failed" },
  { id: "rate", width: 130 },
  { id: "eta", width: 130 },
  { id: "created", width: 128, sort: "created" },
  { id: "finished", width: 128, sort: "finished" },
  { id: "region", width: 140 },
  { id: "manifest", width: 260 },
  { id: "destination", width: 200 },
  { id: "creator", width: 130 },
  { id: "report", width: 130 },
];

const USUAL: readonly ColumnId[] = [
  "id",
  "description",
  "status",
  "priority",
  "progress",
  "total",
  "failed",
  "created",
];
/** Two that can be missed: what is left fits beside a closed list of pages. */
const SPARED: readonly ColumnId[] = ["priority", "total"];
const WITH_ALL_USUAL_FROM_PX = 1400;
const WITH_OPERATION_FROM_PX = 1580;
/** The list of pages, the ticks, and what is between them; the columns have the rest of the window. */
const BESIDE_COLUMNS_PX = 332;
const BESIDE_COLUMNS_CLOSED_PX = 128;

/** Nine columns do not fit into a common laptop's window, and eight not into a small one. */
export function usualColumns(windowWidth: number): readonly ColumnId[] {
  if (windowWidth < WITH_ALL_USUAL_FROM_PX) return USUAL.filter((id) => !SPARED.includes(id));
  if (windowWidth < WITH_OPERATION_FROM_PX) return USUAL;
  return COLUMNS.map(({ id }) => id).filter((id) => id === "operation" || USUAL.includes(id));
}

/** The width of each column that is shown, in a window of so many pixels. */
function widthsInWindow(
  shown: readonly string[],
  windowWidth: number,
  { drawn, hasListOfPages }: Omit<Layout, "shown">,
) {
  const beside = hasListOfPages ? BESIDE_COLUMNS_PX : BESIDE_COLUMNS_CLOSED_PX;
  const columns = COLUMNS.filter(({ id }) => shown.includes(id));
  return widthsIn(windowWidth - beside, columns, drawn);
}

export function nameOfColumn(id: ColumnId): TextKey {
  return `jobs.column.${id}`;
}

interface Cells {
  t: Translate;
  formats: Formats;
  means: Means;
  ask: (action: JobAction, jobs: readonly ActionJob[]) => void;
}

type Ask = Cells["ask"];

interface Layout {
  shown: readonly ColumnId[];
  /** Those that the user drew. */
  drawn: Widths;
  hasListOfPages: boolean;
}

export interface ListColumn extends TableProps.ColumnDefinition<ListedJob> {
  id: ColumnId;
  width: number;
}

/** The columns of the list of jobs. */
export function useColumns(means: Means, ask: Ask, { shown, drawn, hasListOfPages }: Layout): ListColumn[] {
  const t = useT();
  const formats = useFormats();
  const names = shown.join();
  return useMemo(() => {
    const cells = { t, formats, means, ask };
    const widths = widthsInWindow(names.split(","), globalThis.innerWidth, { drawn, hasListOfPages });
    return COLUMNS.map(({ id, width, sort }) => ({
      id,
      header: t(nameOfColumn(id)),
      cell: (job: ListedJob) => <Cell id={id} job={job} cells={cells} />,
      width: widths[id] ?? drawn[id] ?? width,
      minWidth: 80,
      isRowHeader: id === "id",
      ...(sort ? { sortingField: sort } : {}),
    }));
  }, [t, formats, means, ask, names, drawn, hasListOfPages]);
}

/**
 * Most jobs are the same after a refresh as before: their cells are not made again. Of a job that has changed, most cells
 * say what they said before: those that take long to make are given no more than they show.
 */
const Cell = memo(function Cell({ id, job, cells }: { id: ColumnId; job: ListedJob; cells: Cells }) {
  return <>{cellOf(id, job, cells)}</>;
});

function cellOf(id: ColumnId, job: ListedJob, cells: Cells): ReactNode {
  const { t, formats } = cells;
  const progress = job.progress_summary;
  switch (id) {
    case "id":
      return <IdCell jobId={job.job_id} name={nameOf(job)} />;
    case "description":
      return <FewLines text={job.description} />;
    case "operation":
      return t(`operation.${job.operation_name}`);
    case "status":
      return <StatusCell job={job} cells={cells} />;
    case "priority":
      return <PriorityCell job={job} cells={cells} />;
    case "progress":
      return <ProgressCell progress={progress} isFinal={job.is_final} name={nameOf(job)} isCompact />;
    case "total":
      return <Amount of={progress.total_number_of_tasks} say={formats.count} />;
    case "failed":
      return <FailedCell jobId={job.job_id} name={nameOf(job)} failed={progress.number_of_tasks_failed} />;
    case "rate":
      return <Amount of={job.results_per_second} say={formats.rate} />;
    case "eta":
      return <Amount of={job.eta_seconds} say={formats.duration} />;
    case "created":
      return <TimeCell at={job.creation_time} />;
    case "finished":
      return job.termination_date ? <TimeCell at={job.termination_date} /> : t("jobs.none");
    case "region":
      return job.region;
    case "manifest":
      return <FewLines text={`${job.manifest_bucket}/${job.manifest_key}`} />;
    case "destination":
      return <FewLines text={job.target_bucket ?? ""} />;
    case "creator":
      return <FewLines text={job.creator} />;
    case "report":
      return t(`jobs.report.${job.report.state}`);
  }
}

const ProgressCell = memo(JobProgress);
const StatusOfJob = memo(StatusTag);

function FewLines({ text }: { text: string }) {
  const t = useT();
  if (text === "") return <>{t("jobs.none")}</>;
  return (
    <span className="few-lines" title={text}>
      {text}
    </span>
  );
}

const TimeCell = memo(function TimeCell({ at }: { at: string }) {
  return (
    <span className="job-time">
      <RelativeTime at={at} isShort />
    </span>
  );
});

function Amount({ of, say }: { of: number | null; say: (value: number) => string }) {
  const t = useT();
  return <span className="job-number">{of === null ? t("jobs.none") : say(of)}</span>;
}

interface OfJob {
  jobId: string;
  name: string;
}

const IdCell = memo(function IdCell({ jobId, name }: OfJob) {
  const t = useT();
  return (
    <span className="job-id">
      <span title={jobId}>
        <Link href={`/ui/jobs/${jobId}`} fontSize="body-s">
          {shortId(jobId)}
        </Link>
      </span>
      <CopyToClipboard
        variant="icon"
        textToCopy={jobId}
        popoverRenderWithPortal
        copyButtonAriaLabel={t("jobs.copy-id", { name })}
        copySuccessText={t("copy.done")}
        copyErrorText={t("copy.failed")}
      />
    </span>
  );
});

function isOffered(action: JobAction, job: ListedJob, means: Means): boolean {
  return offersFor([job], means).some((offer) => offer.action === action && offer.whyNot === null);
}

function StatusCell({ job, cells: { means, ask } }: { job: ListedJob; cells: Cells }) {
  const { t, retold } = useSpeech();
  const [reason] = job.failure_reasons;
  return (
    <span className="job-status" {...(reason ? { title: retold(reason.failure_reason) } : {})}>
      <SpaceBetween direction="horizontal" size="xs" alignItems="center">
        <StatusOfJob status={job.status} isDryRun={job.dry_run} />
        {job.status === "Suspended" && isOffered("confirm", job, means) && (
          <Button
            variant="inline-link"
            ariaLabel={t("jobs.confirm.of", { name: nameOf(job) })}
            onClick={() => {
              ask("confirm", [job]);
            }}
          >
            {t("jobs.confirm")}
          </Button>
        )}
      </SpaceBetween>
      <JobNote job={job} />
    </span>
  );
}

function PriorityCell({ job, cells: { t, formats, means, ask } }: { job: ListedJob; cells: Cells }) {
  const told = formats.count(job.priority);
  if (!isOffered("change_priority", job, means)) return <span className="job-number">{told}</span>;
  return (
    <span className="job-number">
      <Button
        variant="inline-link"
        ariaLabel={t("jobs.priority.of", { name: nameOf(job), priority: told })}
        onClick={() => {
          ask("change_priority", [job]);
        }}
      >
        {told}
      </Button>
    </span>
  );
}

const FailedCell = memo(function FailedCell({ jobId, name, failed }: OfJob & { failed: number }) {
  const t = useT();
  const formats = useFormats();
  if (failed === 0) return <span className="job-number">{formats.count(0)}</span>;
  return (
    <span className="job-number">
      <a
        className="job-failed"
        href={`/ui/jobs/${jobId}#failures`}
        aria-label={t("jobs.failed.of", { count: failed, name })}
      >
        {formats.count(failed)}
      </a>
    </span>
  );
});
