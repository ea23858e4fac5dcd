import Box from "@cloudscape-design/components/box";
import Header from "@cloudscape-design/components/header";
import SegmentedControl from "@cloudscape-design/components/segmented-control";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import Table from "@cloudscape-design/components/table";
import { useState } from "react";

import { useReportPreview } from "../api/jobQueries";
import type { Schemas } from "../api/types";
import { useSpeech, useT } from "../i18n";
import { Empty } from "./Empty";
import { ErrorAlert } from "./ErrorAlert";

type Scope = Schemas["ReportScope"];
type Row = Schemas["cosbatch__web__rest__reports__RowView"];
const SCOPES: readonly Scope[] = ["AllTasks", "FailedTasksOnly"];

interface ReportPreviewProps {
  jobId: string;
  isDryRun: boolean;
  /** Whether the job has ended, and no more results come. */
  isFinal: boolean;
}

/** The first rows of a job's results, whether they were delivered or not. */
export function ReportPreview({ jobId, isDryRun, isFinal }: ReportPreviewProps) {
  const { t, retold } = useSpeech();
  const [scope, setScope] = useState<Scope>("AllTasks");
  const found = useReportPreview(jobId, scope, !isFinal);
  const rows = (found.data?.items ?? []).map((row, number) => ({ ...row, number }));
  return (
    <SpaceBetween size="l">
      {found.isError && (
        <ErrorAlert error={found.error} header={t("report.preview.failed")} onRetry={() => void found.refetch()} />
      )}
      <Table
        wrapLines
        items={rows}
        trackBy={({ number }) => String(number)}
        loading={found.isPending}
        loadingText={t("shell.loading")}
        ariaLabels={{ tableLabel: t("report.preview") }}
        header={
          <Header
            variant="h2"
            description={t("report.preview.text")}
            actions={
              <SegmentedControl
                label={t("report.preview.scope")}
                selectedId={scope}
                options={SCOPES.map((id) => ({ id, text: t(`job.summary.report.${id}`) }))}
                onChange={({ detail }) => {
                  setScope(SCOPES.find((each) => each === detail.selectedId) ?? "AllTasks");
                }}
              />
            }
          >
            {t("report.preview")}
          </Header>
        }
        empty={<Empty title={t("report.preview.none")} text={t("report.preview.none.text")} />}
        columnDefinitions={[
          {
            id: "status",
            header: t("report.row.status"),
            minWidth: 150,
            cell: (row) => <RowStatus {...{ row, isDryRun }} />,
          },
          {
            id: "key",
            header: t("job.samples.key"),
            minWidth: 260,
            isRowHeader: true,
            cell: ({ key }) => <span className="mono">{key}</span>,
          },
          {
            id: "version",
            header: t("job.summary.version"),
            minWidth: 110,
            cell: ({ version_id: version }) => version || "-",
          },
          { id: "code", header: t("report.row.code"), minWidth: 130, cell: ({ error_code: code }) => code || "-" },
          {
            id: "http",
            header: t("job.failures.http"),
            minWidth: 120,
            cell: ({ http_status: status }) => status ?? "-",
          },
          {
            id: "message",
            header: t("job.samples.message"),
            minWidth: 200,
            cell: ({ message }) => retold(message) || "-",
          },
        ]}
        footer={
          found.data?.has_more && (
            <Box textAlign="center" color="text-body-secondary">
              {t("report.preview.more")}
            </Box>
          )
        }
      />
    </SpaceBetween>
  );
}

function RowStatus({ row, isDryRun }: { row: Row; isDryRun: boolean }) {
  const t = useT();
  const isGood = row.status === "succeeded" || row.status === "would_succeed";
  const good = isDryRun ? "report.row.would-succeed" : "report.row.succeeded";
  const bad = isDryRun ? "report.row.would-fail" : "report.row.failed";
  return <StatusIndicator type={isGood ? "success" : "error"}>{t(isGood ? good : bad)}</StatusIndicator>;
}
