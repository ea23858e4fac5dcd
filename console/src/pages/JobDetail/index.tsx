import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import Skeleton from "@cloudscape-design/components/skeleton";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Navigate, useParams } from "react-router";

import { ApiError } from "../../api/errors";
import { useJob } from "../../api/jobQueries";
import { Empty } from "../../components/Empty";
import { ErrorAlert } from "../../components/ErrorAlert";
import { nameOf, shortId } from "../../components/jobActions";
import { useIsDeleted } from "../../components/jobActionsRun";
import { Page } from "../../components/Shell";
import { useT } from "../../i18n";
import { JobBody } from "./JobBody";

export function JobDetail() {
  const { id = "" } = useParams();
  return <JobPage key={id} id={id} />; // another job is another page
}

function JobPage({ id }: { id: string }) {
  const t = useT();
  const queries = useQueryClient();
  const job = useJob(id);
  const isDeleted = useIsDeleted(id);
  if (isDeleted) return <Navigate to="/jobs" replace />;
  if (isGone(job.error)) {
    return (
      <Framed title={t("error.not-found")}>
        <Container header={<Header variant="h1">{t("error.not-found")}</Header>}>
          <Empty
            title={t("job.gone")}
            text={t("job.gone.id", { id })}
            actions={<Button href="/ui/jobs">{t("job.gone.jobs")}</Button>}
          />
        </Container>
      </Framed>
    );
  }
  if (job.data) {
    return (
      <Framed title={nameOf(job.data)}>
        <JobBody
          job={job.data}
          error={job.error}
          updatedAt={job.dataUpdatedAt}
          onRefresh={() => void queries.invalidateQueries({ queryKey: ["job", id] })}
        />
      </Framed>
    );
  }
  return (
    <Framed title={shortId(id)}>
      <SpaceBetween size="l">
        <Header variant="h1">{shortId(id)}</Header>
        {job.error ? (
          <ErrorAlert error={job.error} header={t("job.failed")} onRetry={() => void job.refetch()} />
        ) : (
          <Waiting />
        )}
      </SpaceBetween>
    </Framed>
  );
}

function Framed({ title, children }: { title: string; children: ReactNode }) {
  const t = useT();
  return (
    <Page
      title={title}
      crumbs={[{ text: t("nav.title"), to: "/jobs" }, { text: t("nav.jobs"), to: "/jobs" }, { text: title }]}
    >
      {children}
    </Page>
  );
}

/** The page's frame, before the job is known. */
function Waiting() {
  const t = useT();
  return (
    <Container>
      <span className="unseen">{t("shell.loading")}</span>
      <SpaceBetween size="m">
        <Skeleton width="40%" />
        <Skeleton height="1.5em" />
        <Skeleton height="200px" />
      </SpaceBetween>
    </Container>
  );
}

function isGone(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}
