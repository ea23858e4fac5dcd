import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import Grid from "@cloudscape-design/components/grid";
import Header from "@cloudscape-design/components/header";
import Skeleton from "@cloudscape-design/components/skeleton";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";

import { isAlive, useJobEvents, useJobSeries } from "../../api/jobQueries";
import type { Job, Schemas } from "../../api/types";
import { ErrorAlert } from "../../components/ErrorAlert";
import { JobProgress } from "../../components/JobProgress";
import { nameOf } from "../../components/jobActions";
import { StatusTimeline } from "../../components/StatusTimeline";
import { type SeriesRange, ThroughputChart } from "../../components/ThroughputChart";
import { useT } from "../../i18n";
import { Banners } from "./Banners";
import { Facts } from "./Facts";
import { Numbers } from "./Numbers";
import { hasSizes } from "./sizes";

/** How a job is doing: what it waits for or died of, how far it is and how fast, and what it went through. */
export function Overview({ job }: { job: Job }) {
  const t = useT();
  const [range, setRange] = useState<SeriesRange>("all");
  const series = useJobSeries(job.job_id, range, !job.is_final);
  return (
    <SpaceBetween size="l">
      <Banners job={job} />
      <Container header={<Header variant="h2">{t("job.progress")}</Header>}>
        <SpaceBetween size="l">
          <JobProgress progress={job.progress_summary} isFinal={job.is_final} name={nameOf(job)} />
          <Numbers job={job} pace={paceOf(series.data)} />
        </SpaceBetween>
      </Container>
      <ThroughputChart
        series={series.isPlaceholderData ? undefined : series.data}
        error={series.error}
        onRetry={() => void series.refetch()}
        range={range}
        onRange={setRange}
        isFinal={job.is_final}
        hasSizes={hasSizes(job)}
      />
      <Grid gridDefinition={[{ colspan: { default: 12, m: 6 } }, { colspan: { default: 12, m: 6 } }]}>
        <Timeline job={job} />
        <Facts job={job} />
      </Grid>
    </SpaceBetween>
  );
}

function paceOf(series: Schemas["SeriesView"] | undefined) {
  return { perSecond: series?.results_per_second ?? null, etaSeconds: series?.eta_seconds ?? null };
}

function Timeline({ job }: { job: Job }) {
  const t = useT();
  const events = useJobEvents(job.job_id, isAlive(job));
  return (
    <Container fitHeight header={<Header variant="h2">{t("job.timeline")}</Header>}>
      {events.data && <StatusTimeline events={events.data.events} isFinal={job.is_final} />}
      {events.isPending && (
        <Box>
          <span className="unseen">{t("shell.loading")}</span>
          <Skeleton height="160px" />
        </Box>
      )}
      {events.isError && !events.data && (
        <ErrorAlert error={events.error} header={t("job.events.failed")} onRetry={() => void events.refetch()} />
      )}
    </Container>
  );
}
