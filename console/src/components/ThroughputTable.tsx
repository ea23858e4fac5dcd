import Pagination from "@cloudscape-design/components/pagination";
import Table from "@cloudscape-design/components/table";
import { useState } from "react";

import { useT } from "../i18n";
import { useFormats } from "../i18n/formats";
import { AbsoluteTime } from "./RelativeTime";
import type { Throughput } from "./throughput";

const PAGE = 10;

/** The chart's numbers, the newest first, for whoever does not see it. */
export function ThroughputTable({ found, hasSizes }: { found: readonly Throughput[]; hasSizes: boolean }) {
  const t = useT();
  const formats = useFormats();
  const [page, setPage] = useState(1);
  const pages = Math.max(1, Math.ceil(found.length / PAGE));
  const shown = Math.min(page, pages);
  const newest = found.toReversed().slice((shown - 1) * PAGE, shown * PAGE);
  return (
    <Table
      variant="borderless"
      contentDensity="compact"
      items={newest}
      trackBy="at"
      ariaLabels={{ tableLabel: t("job.throughput") }}
      columnDefinitions={[
        { id: "at", header: t("job.throughput.time"), isRowHeader: true, cell: ({ at }) => <AbsoluteTime at={at} /> },
        {
          id: "succeeded",
          header: t("job.throughput.column.succeeded"),
          cell: ({ succeeded }) => formats.rate(succeeded),
        },
        { id: "failed", header: t("job.throughput.column.failed"), cell: ({ failed }) => formats.rate(failed) },
        {
          id: "bytes",
          header: t("job.throughput.unit.bytes"),
          cell: ({ bytes }) => (hasSizes ? formats.rate(bytes / 1e6) : "-"),
        },
      ]}
      pagination={
        pages > 1 && (
          <Pagination
            currentPageIndex={shown}
            pagesCount={pages}
            ariaLabels={{
              paginationLabel: t("job.throughput.table"),
              previousPageLabel: t("job.page.previous"),
              nextPageLabel: t("job.page.next"),
              pageLabel: (number) => t("job.page", { number }),
            }}
            onChange={({ detail }) => {
              setPage(detail.currentPageIndex);
            }}
          />
        )
      }
    />
  );
}
