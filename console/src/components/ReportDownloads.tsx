import ButtonDropdown, { type ButtonDropdownProps } from "@cloudscape-design/components/button-dropdown";
import SpaceBetween from "@cloudscape-design/components/space-between";

import type { Progress } from "../api/types";
import { useT } from "../i18n";
import { reportHref, summaryHref } from "./failures";

const ROWS = ["csv", "jsonl"] as const;
const SUMMARIES = ["json", "csv"] as const;

interface ReportDownloadsProps {
  jobId: string;
  progress: Progress;
}

/** A job's results and its summary as files: as most people want them by a click, in the other forms from a menu. */
export function ReportDownloads({ jobId, progress }: ReportDownloadsProps) {
  const t = useT();
  const { number_of_tasks_succeeded: succeeded, number_of_tasks_failed: failed } = progress;
  const rows = (isFailed: boolean): ButtonDropdownProps.Item[] =>
    ROWS.map((format) => ({
      id: `${isFailed ? "failed" : "all"}-${format}`,
      text: t(`report.format.${format}`),
      href: reportHref(jobId, { failed: isFailed, format }),
      download: true,
    }));
  return (
    <SpaceBetween direction="horizontal" size="xs">
      <Downloads
        text={t("report.download-summary")}
        href={summaryHref(jobId)}
        others={t("report.download-summary.others")}
        items={SUMMARIES.map((format) => ({
          id: format,
          text: t(`report.format.${format}`),
          href: summaryHref(jobId, format),
          download: true,
        }))}
      />
      {succeeded + failed > 0 && (
        <Downloads
          text={t("report.download")}
          href={reportHref(jobId)}
          others={t("report.download.others")}
          items={[
            { text: t("job.summary.report.AllTasks"), items: rows(false) },
            ...(failed > 0 ? [{ text: t("job.summary.report.FailedTasksOnly"), items: rows(true) }] : []),
          ]}
        />
      )}
    </SpaceBetween>
  );
}

interface DownloadsProps {
  text: string;
  href: string;
  /** What the menu is called. */
  others: string;
  items: ButtonDropdownProps["items"];
}

function Downloads({ text, href, others, items }: DownloadsProps) {
  return (
    <ButtonDropdown
      items={items}
      ariaLabel={others}
      expandToViewport
      mainAction={{ text, href, download: true, iconName: "download" }}
    />
  );
}
