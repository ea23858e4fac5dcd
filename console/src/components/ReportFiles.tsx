import Box from "@cloudscape-design/components/box";
import Table from "@cloudscape-design/components/table";

import { useReportFiles } from "../api/jobQueries";
import { useMayLook } from "../api/queries";
import type { Job } from "../api/types";
import { useT } from "../i18n";
import { useFormats } from "../i18n/formats";
import { CopyText } from "./CopyText";
import { ErrorAlert } from "./ErrorAlert";
import { type ReportPlace, reportRegionOf } from "./reportPhase";

/** The files of a delivered report with their sizes, as they lie in the bucket now. */
export function ReportFiles({ job, place }: { job: Job; place: ReportPlace }) {
  const t = useT();
  const formats = useFormats();
  const may = useMayLook("list_objects")(job.request.role_arn);
  const files = useReportFiles(
    { region: reportRegionOf(job), bucket: place.bucket, folder: place.folder, role: job.request.role_arn ?? "" },
    may,
  );
  if (!may) return null;
  if (files.isError && !files.data) {
    return <ErrorAlert error={files.error} header={t("report.files.failed")} onRetry={() => void files.refetch()} />;
  }
  return (
    <Table
      variant="embedded"
      contentDensity="compact"
      items={files.data?.items ?? []}
      trackBy="key"
      loading={files.isPending}
      loadingText={t("shell.loading")}
      ariaLabels={{ tableLabel: t("report.files") }}
      empty={<Box color="text-body-secondary">{t("report.files.none")}</Box>}
      columnDefinitions={[
        {
          id: "key",
          header: t("report.files"),
          isRowHeader: true,
          cell: ({ key }) => <CopyText text={key} shown={key.slice(place.folder.length)} />,
        },
        { id: "size", header: t("report.files.size"), cell: ({ size_bytes: size }) => formats.bytes(size) },
      ]}
      footer={
        files.data?.next_cursor && (
          <Box textAlign="center" color="text-body-secondary">
            {t("report.files.more", { count: files.data.items.length })}
          </Box>
        )
      }
    />
  );
}
