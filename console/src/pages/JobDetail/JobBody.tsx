import Header from "@cloudscape-design/components/header";
import LiveRegion from "@cloudscape-design/components/live-region";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Tabs from "@cloudscape-design/components/tabs";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useLocation, useNavigate } from "react-router";

import { isUnanswered } from "../../api/errors";
import type { Job } from "../../api/types";
import { ErrorAlert } from "../../components/ErrorAlert";
import { JobActionButtons } from "../../components/JobActionsMenu";
import { nameOf } from "../../components/jobActions";
import { RefreshControl } from "../../components/RefreshControl";
import { useT } from "../../i18n";
import { useFormats } from "../../i18n/formats";
import { Checks } from "./Checks";
import { Configuration } from "./Configuration";
import { Events } from "./Events";
import { Failures } from "./Failures";
import { EndingButton, JobLine, ReportButton } from "./JobLine";
import { Overview } from "./Overview";
import { Report } from "./Report";
import { type TabId, tabOf, TABS } from "./tabs";

interface JobBodyProps {
  job: Job;
  /** Of the last time that it was asked for; the job is then as it was before. */
  error: unknown;
  updatedAt: number;
  onRefresh: () => void;
}

/** A job that is known: what it is called, what can be done with it, and all about it in tabs. */
export function JobBody({ job, error, updatedAt, onRefresh }: JobBodyProps) {
  const t = useT();
  useAskAgainOnChange(job);
  useFocusThatWasLost();
  return (
    <SpaceBetween size="l">
      <EndTold job={job} />
      <SpaceBetween size="xs">
        <Header
          variant="h1"
          actions={
            <SpaceBetween direction="horizontal" size="xs" alignItems="center">
              <RefreshControl updatedAt={updatedAt} onRefresh={onRefresh} />
              <ReportButton job={job} />
              <EndingButton job={job} />
              <JobActionButtons job={job} />
            </SpaceBetween>
          }
        >
          {nameOf(job)}
        </Header>
        <JobLine job={job} />
      </SpaceBetween>
      {error != null && !isUnanswered(error) && (
        <ErrorAlert error={error} header={t("job.stale")} onRetry={onRefresh} />
      )}
      <JobTabs job={job} />
    </SpaceBetween>
  );
}

function JobTabs({ job }: { job: Job }) {
  const t = useT();
  const formats = useFormats();
  const here = useLocation();
  const navigate = useNavigate();
  const failed = job.progress_summary.number_of_tasks_failed;
  const labelOf = (id: TabId) =>
    id === "failures" && failed > 0
      ? t("job.tab.failures.count", { count: formats.count(failed) })
      : t(`job.tab.${id}`);
  return (
    <Tabs
      ariaLabel={t("job.tabs")}
      activeTabId={tabOf(here)}
      tabs={TABS.map((id) => ({ id, label: labelOf(id), href: `#${id}`, content: <TabContent id={id} job={job} /> }))}
      onChange={({ detail }) => {
        void navigate({ hash: detail.activeTabId }, { replace: true });
      }}
    />
  );
}

function TabContent({ id, job }: { id: TabId; job: Job }) {
  switch (id) {
    case "overview":
      return <Overview job={job} />;
    case "failures":
      return <Failures job={job} />;
    case "report":
      return <Report job={job} />;
    case "configuration":
      return <Configuration job={job} />;
    case "checks":
      return <Checks job={job} />;
    case "events":
      return <Events job={job} />;
  }
}

/** What is shown beside the job is asked for at once when its status or report is another one. */
function useAskAgainOnChange({ job_id: id, status, report }: Job) {
  const queries = useQueryClient();
  const seen = useRef(`${status} ${report.state}`);
  useEffect(() => {
    const present = `${status} ${report.state}`;
    if (seen.current === present) return;
    seen.current = present;
    void queries.invalidateQueries({
      predicate: ({ queryKey }) => queryKey[0] === "job" && queryKey[1] === id && queryKey.length > 2,
    });
  }, [queries, id, status, report.state]);
}

/** The heading that stood here while the job was asked for had the focus, and is gone: this one takes its place. */
function useFocusThatWasLost() {
  const { key } = useLocation();
  useEffect(() => {
    const isLost = document.activeElement === null || document.activeElement === document.body;
    if (!isLost || key === "default") return; // the first page reads itself
    const heading = document.querySelector<HTMLElement>("#content h1");
    if (!heading) return;
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
    // Once, when the job is there: what is focused later is the user's.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);
}

/** Tells whoever hears the page that the job has ended; not of one that had ended before it was looked at. */
function EndTold({ job }: { job: Job }) {
  const t = useT();
  const [wasFinal] = useState(job.is_final);
  return (
    <LiveRegion hidden>
      {job.is_final && !wasFinal ? t("job.ended", { name: nameOf(job), status: t(`status.${job.status}`) }) : ""}
    </LiveRegion>
  );
}
