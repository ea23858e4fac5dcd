import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useSearchParams } from "react-router";

import { told } from "../../api/client";
import { useApi } from "../../api/context";
import { useCapabilities, useMay, useSession } from "../../api/queries";
import type { Capabilities, Job } from "../../api/types";
import { ErrorAlert } from "../../components/ErrorAlert";
import { Page } from "../../components/Shell";
import { type Translate, useT } from "../../i18n";
import { usePreferences } from "../../preferences";
import { beginClone, beginNew, beginRetry, beginSample, nameOf, type Origin, originOf, type Visit } from "./origin";
import { JobWizard } from "./JobWizard";

/** `/jobs/create`, `?from=ID` (clone), `?retry=ID&code=`, `?sample=1`. */
export function CreateJob() {
  const t = useT();
  const [search] = useSearchParams();
  const origin = originOf(search);
  const title = t(origin.kind === "retry" ? "create.title.retry" : "create.title");
  return (
    <Page
      title={title}
      contentType="wizard"
      crumbs={[{ text: t("nav.title"), to: "/jobs" }, { text: t("nav.jobs"), to: "/jobs" }, { text: title }]}
    >
      <Begun key={nameOf(origin)} origin={origin} title={title} />
    </Page>
  );
}

/** The wizard, once everything is there that it begins with. */
function Begun({ origin, title }: { origin: Origin; title: string }) {
  const t = useT();
  const may = useMay();
  const session = useSession().data;
  const capabilities = useCapabilities();
  const job = useJob(origin);
  if (session && !may("create_job")) {
    return (
      <Without title={title}>
        <Alert type="info" header={t("error.forbidden")}>
          {t("create.forbidden")}
        </Alert>
      </Without>
    );
  }
  const failed = [capabilities, job].find(({ isError, data }) => isError && data === undefined);
  if (failed) {
    return (
      <Without title={title}>
        <ErrorAlert error={failed.error} onRetry={() => void failed.refetch()} />
      </Without>
    );
  }
  if (!session || !capabilities.data || job.isLoading) {
    return (
      <Box textAlign="center" padding="xxxl">
        <Spinner size="large" /> <span className="unseen">{t("shell.loading")}</span>
      </Box>
    );
  }
  return (
    <WithVisit
      origin={origin}
      title={title}
      user={session.user}
      capabilities={capabilities.data}
      job={job.data ?? null}
    />
  );
}

interface WithVisitProps {
  origin: Origin;
  title: string;
  user: string;
  capabilities: Capabilities;
  job: Job | null;
}

/** A visit begins once: what the service says later does not change what stands in the fields. */
function WithVisit({ origin, title, user, capabilities, job }: WithVisitProps) {
  const t = useT();
  const { region } = usePreferences().preferences;
  const [visit] = useState(() => begin({ origin, capabilities, job, region, t }));
  if (!visit) {
    return (
      <Without title={title}>
        <Alert type="info" action={<Button href="/ui/jobs/create">{t("create.title")}</Button>}>
          {t("create.no-sample")}
        </Alert>
      </Without>
    );
  }
  return <JobWizard visit={visit} capabilities={capabilities} user={user} />;
}

interface Beginning {
  origin: Origin;
  capabilities: Capabilities;
  job: Job | null;
  region: string;
  t: Translate;
}

function begin({ origin, capabilities, job, region, t }: Beginning): Visit | null {
  switch (origin.kind) {
    case "new":
      return beginNew(capabilities, region);
    case "sample":
      return capabilities.sample && beginSample(capabilities, capabilities.sample);
    case "clone":
      return job && beginClone(capabilities, job);
    case "retry": {
      const description = t("create.retry-of", { job: origin.jobId });
      return job && beginRetry(capabilities, job, { code: origin.code, description });
    }
  }
}

function useJob(origin: Origin) {
  const api = useApi();
  const id = "jobId" in origin ? origin.jobId : "";
  return useQuery({
    queryKey: ["job", id],
    enabled: id !== "",
    queryFn: () => told(api.GET("/jobs/{job_id}", { params: { path: { job_id: id } } })),
  });
}

function Without({ title, children }: { title: string; children: ReactNode }) {
  return (
    <SpaceBetween size="l">
      <Header variant="h1">{title}</Header>
      {children}
    </SpaceBetween>
  );
}
