import Box from "@cloudscape-design/components/box";
import Header from "@cloudscape-design/components/header";
import Pagination from "@cloudscape-design/components/pagination";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { useState } from "react";

import { isAlive, useJobEvents } from "../../api/jobQueries";
import type { Job } from "../../api/types";
import { ErrorAlert } from "../../components/ErrorAlert";
import { Doer, Reason } from "../../components/EventWords";
import { AbsoluteTime } from "../../components/RelativeTime";
import { type JobEvent, kindOf } from "../../components/timeline";
import { useSpeech, useT } from "../../i18n";
import { useFormats } from "../../i18n/formats";

const PAGE = 50;

/** Everything that happened to a job, the newest first. */
export function Events({ job }: { job: Job }) {
  const t = useT();
  const formats = useFormats();
  const found = useJobEvents(job.job_id, isAlive(job));
  const [page, setPage] = useState(1);
  const events = found.data?.events ?? [];
  const pages = Math.max(1, Math.ceil(events.length / PAGE));
  const shown = Math.min(page, pages);
  const numbered = events.map((event, number) => ({ ...event, number })).toReversed();
  return (
    <SpaceBetween size="l">
      {found.isError && (
        <ErrorAlert error={found.error} header={t("job.events.failed")} onRetry={() => void found.refetch()} />
      )}
      <Table
        wrapLines
        items={numbered.slice((shown - 1) * PAGE, shown * PAGE)}
        trackBy={({ number }) => String(number)}
        loading={found.isPending}
        loadingText={t("shell.loading")}
        ariaLabels={{ tableLabel: t("job.events") }}
        header={
          <Header
            variant="h2"
            counter={found.data ? `(${formats.count(events.length)}${found.data.isWhole ? "" : "+"})` : ""}
            description={t("job.events.text")}
          >
            {t("job.events")}
          </Header>
        }
        empty={<Box color="text-body-secondary">{t("job.events.none")}</Box>}
        columnDefinitions={[
          { id: "at", header: t("job.events.at"), minWidth: 230, cell: ({ at }) => <AbsoluteTime at={at} /> },
          {
            id: "what",
            header: t("job.events.what"),
            isRowHeader: true,
            minWidth: 170,
            cell: (event) => <What event={event} />,
          },
          { id: "by", header: t("job.events.by"), minWidth: 150, cell: ({ by }) => <Doer by={by} /> },
          {
            id: "reason",
            header: t("job.events.reason"),
            minWidth: 240,
            cell: ({ reason, by }) => (reason ? <Reason reason={reason} isOwn={!by} /> : "-"),
          },
        ]}
        pagination={
          pages > 1 && (
            <Pagination
              currentPageIndex={shown}
              pagesCount={pages}
              ariaLabels={{
                paginationLabel: t("job.events"),
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
    </SpaceBetween>
  );
}

function What({ event }: { event: JobEvent }) {
  const { t, has } = useSpeech();
  const key = `event.kind.${kindOf(event)}`;
  return <>{has(key) ? t(key, { status: t(`status.${event.status}`) }) : event.kind}</>;
}
