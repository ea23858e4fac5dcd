import Badge from "@cloudscape-design/components/badge";
import Box from "@cloudscape-design/components/box";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import Table, { type TableProps } from "@cloudscape-design/components/table";
import type { ReactNode } from "react";

import type { Schemas } from "../api/types";
import { useSpeech, useT } from "../i18n";

type Row = Schemas["SampleRowView"];

/** More of them do not fit on a page: what a job makes of the rows then stands before them. */
const NARROW_COLUMNS = 4;

interface ManifestPreviewProps {
  rows: readonly Row[];
  /** What stands above each column of the file. */
  headers: readonly ReactNode[];
  /** Whether it is known which columns hold what, so that rows are decoded. */
  isDecoded: boolean;
}

/** The first rows of a manifest, as they stand in the file, and beside them what a job makes of them. */
export function ManifestPreview({ rows, headers, isDecoded }: ManifestPreviewProps) {
  const t = useT();
  const line = { id: "line", header: t("manifest.line"), minWidth: 60, cell: ({ line }: Row) => line };
  const raw = headers.map((header, index) => ({
    id: `column-${index}`,
    header,
    minWidth: 150,
    cell: ({ cells }: Row) => <span className="mono">{cells[index]}</span>,
  }));
  const read = {
    id: "read",
    header: t("manifest.read-as"),
    minWidth: 190,
    cell: (row: Row) => <Decoded row={row} isDecoded={isDecoded} />,
  };
  const columns: TableProps.ColumnDefinition<Row>[] =
    raw.length > NARROW_COLUMNS ? [line, read, ...raw] : [line, ...raw, read];
  return (
    <Table<Row>
      variant="embedded"
      contentDensity="compact"
      cellVerticalAlign="top"
      wrapLines
      items={rows}
      trackBy={({ line }) => String(line)}
      columnDefinitions={columns}
      ariaLabels={{ tableLabel: t("manifest.preview") }}
      empty={<Box color="text-body-secondary">{t("manifest.no-rows")}</Box>}
    />
  );
}

function Decoded({ row: { row, problems }, isDecoded }: { row: Row; isDecoded: boolean }) {
  const { t, retold } = useSpeech();
  if (problems.length > 0) {
    return (
      <>
        {problems.map(({ column, problem, way_out: wayOut }) => (
          <div key={`${column} ${problem}`}>
            <StatusIndicator type="error" wrapText>
              {t("manifest.problem", { column, problem: retold(wayOut ? `${problem}; ${wayOut}` : problem) })}
            </StatusIndicator>
          </div>
        ))}
      </>
    );
  }
  if (!row || !isDecoded) return <Box color="text-status-inactive">{t("manifest.not-mapped")}</Box>;
  return (
    <>
      <span className="mono">{row.key}</span>
      {row.version_id !== null && (
        <Box fontSize="body-s" color="text-body-secondary">
          {t("manifest.version", { version: row.version_id })}
        </Box>
      )}
      {row.is_delete_marker && (
        <div>
          <Badge>{t("manifest.delete-marker")}</Badge>
        </div>
      )}
    </>
  );
}
