import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import Link from "@cloudscape-design/components/link";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";

import { ApiError } from "../../api/errors";
import type { JobForm } from "../../api/types";
import { CheckTable } from "../../components/CheckTable";
import { ErrorAlert } from "../../components/ErrorAlert";
import { estimateOf } from "../../components/estimate";
import { EstimateCard } from "../../components/EstimateCard";
import { JobSummary } from "../../components/JobSummary";
import type { SectionId } from "../../components/jobSummary";
import { useT } from "../../i18n";
import { useFormats } from "../../i18n/formats";
import { Equivalents } from "./Equivalents";
import { FaultSummary } from "./FaultSummary";
import { StepField } from "./Field";
import { toJobForm } from "./form";
import { type Draft, type Field, fieldFaults, fieldOf, type StepName, type StepProps } from "./model";
import { failedOf, type FollowUp } from "./origin";
import type { Checked as CheckedJob } from "./jobCheck";
import { exampleOf } from "./preview";

export interface JobCheck {
  readonly data: CheckedJob | undefined;
  readonly error: Error | null;
  readonly isFetching: boolean;
  readonly ask: () => void;
}

interface ReviewProps extends StepProps {
  followUp: FollowUp | null;
  check: JobCheck;
  onModify: (step: StepName) => void;
  onShow: (field: Field) => void;
}

const STEP_OF: Record<SectionId, StepName> = { inventory: "manifest", operation: "operation", other: "other" };

/** Step 4: what would be done, whether it can be, what it comes to, and all that was chosen. */
export function Review({ followUp, check, onModify, onShow, ...props }: ReviewProps) {
  const t = useT();
  const { draft, capabilities } = props;
  const estimate = estimateOf(check.data?.estimate);
  const form = toJobForm(draft, capabilities);
  return (
    <SpaceBetween size="l">
      {draft.operation.chosen === "cos_delete_object" && (
        <Deletion {...props} objects={estimate?.objects} isExact={estimate?.isExact ?? false} />
      )}
      {followUp ? (
        <AboutFollowUp followUp={followUp} objects={estimate?.isExact ? estimate.objects : undefined} />
      ) : (
        <WhatHappens {...props} objects={estimate?.objects} isExact={estimate?.isExact ?? false} />
      )}
      <Checked check={check} onShow={onShow} />
      {estimate && (
        <Container header={<Header variant="h2">{t("review.estimate")}</Header>}>
          <EstimateCard estimate={estimate} />
        </Container>
      )}
      <JobSummary
        form={followUp ? shownOf(form, followUp) : form}
        actionsOf={(section) => {
          const step = STEP_OF[section];
          if (followUp && step !== "other") return null;
          return (
            <Button
              ariaLabel={t("review.modify.of", { step: t(`step.${step}`) })}
              onClick={() => {
                onModify(step);
              }}
            >
              {t("review.modify")}
            </Button>
          );
        }}
      />
      <Equivalents equivalents={check.data?.equivalents} followUp={followUp} />
    </SpaceBetween>
  );
}

/** The job as it will be: with the inventory and operation of the one that it is made of. */
function shownOf(form: JobForm, { call, job, code }: FollowUp): JobForm {
  const { region, manifest, operation } = job.request;
  const location =
    call === "retry" ? { ...manifest.location, retry_of: { job_id: job.job_id, error_code: code } } : manifest.location;
  return { ...form, region, operation, manifest: { ...manifest, location } };
}

/** `objects`: as many as the service has counted; undefined: not yet. */
function AboutFollowUp({
  followUp: { call, job, code },
  objects,
}: {
  followUp: FollowUp;
  objects: number | undefined;
}) {
  const t = useT();
  const retry = code ? "review.retry.code" : "review.retry";
  return (
    <Alert type="info">
      {call === "clone"
        ? t("review.kept-clone")
        : objects === undefined
          ? t(retry, { objects: failedOf(job, code), code })
          : t(`${retry}.counted`, { objects, code })}{" "}
      <Link href={`/ui/jobs/${job.job_id}`}>{job.job_id}</Link>
    </Alert>
  );
}

interface CountedProps extends StepProps {
  objects: number | undefined;
  isExact: boolean;
}

/** The job in two lines, with the first object as an example. */
function WhatHappens({ draft, look, objects, isExact }: CountedProps) {
  const t = useT();
  const formats = useFormats();
  const { first, rows, mismatches } = exampleOf(draft, look.data);
  const { chosen } = draft.operation;
  if (chosen === "") return null;
  return (
    <Container header={<Header variant="h2">{t("review.what")}</Header>}>
      <SpaceBetween size="s">
        <Box>
          {objects === undefined
            ? t(`review.what.${chosen}`)
            : t(`review.what.${chosen}.counted`, {
                objects: isExact ? formats.count(objects) : t("review.about", { text: formats.count(objects) }),
              })}{" "}
          {t(draft.confirmation_required ? "review.waits" : "review.begins")}
        </Box>
        {first && (
          <KeyValuePairs
            columns={2}
            items={[
              { label: t("review.first"), value: <span className="mono">{first.from}</span> },
              ...(chosen === "cos_put_object_copy"
                ? [{ label: t("review.becomes"), value: <span className="mono">{place(draft, first.to)}</span> }]
                : []),
            ]}
          />
        )}
        {mismatches > 0 && (
          <StatusIndicator type="warning">{t("review.mismatches", { mismatches, rows })}</StatusIndicator>
        )}
      </SpaceBetween>
    </Container>
  );
}

function place(draft: Draft, key: string): string {
  return `${draft.operation.cos_put_object_copy.target_resource}/${key}`;
}

/** Nothing brings a deleted object back: who deletes types how many. */
function Deletion({ draft, change, faults, capabilities, objects }: CountedProps) {
  const t = useT();
  return (
    <Alert type="error" header={t("review.delete")}>
      <SpaceBetween size="s">
        <Box color="inherit">{t(capabilities.deletes_allowed ? "review.delete.text" : "review.delete.off")}</Box>
        {capabilities.deletes_allowed && (
          <StepField
            name="confirm_delete_count"
            faults={faults}
            description={objects === undefined ? t("review.delete.count") : t("review.delete.count.known", { objects })}
          >
            <Input
              value={draft.confirm_delete_count}
              type="number"
              inputMode="numeric"
              step={1}
              onChange={({ detail }) => {
                change({ confirm_delete_count: detail.value });
              }}
            />
          </StepField>
        )}
      </SpaceBetween>
    </Alert>
  );
}

function Checked({ check, onShow }: { check: JobCheck; onShow: (field: Field) => void }) {
  const t = useT();
  return (
    <Container
      header={
        <Header
          variant="h2"
          description={t("review.checks.text")}
          actions={
            <Button iconName="refresh" loading={check.isFetching} onClick={check.ask}>
              {t("review.checks.again")}
            </Button>
          }
        >
          {t("review.checks")}
        </Header>
      }
    >
      <div aria-live="polite">
        <CheckedOutcome check={check} onShow={onShow} />
      </div>
    </Container>
  );
}

function CheckedOutcome({ check, onShow }: { check: JobCheck; onShow: (field: Field) => void }) {
  const t = useT();
  if (check.error && !check.isFetching) {
    const told = check.error instanceof ApiError ? fieldFaults(check.error.faults) : [];
    return (
      <SpaceBetween size="s">
        <ErrorAlert
          error={check.error}
          header={t("review.checks.refused")}
          isShown={({ path }) => fieldOf(path) !== null}
          onRetry={check.ask}
        />
        <FaultSummary faults={told} attention={0} onShow={onShow} />
      </SpaceBetween>
    );
  }
  if (!check.data) return <StatusIndicator type="loading">{t("review.checks.running")}</StatusIndicator>;
  const { checks } = check.data;
  const passed = checks.filter(({ outcome }) => outcome === "passed");
  const open = checks.filter(({ outcome }) => outcome !== "passed");
  const failed = open.filter(({ outcome }) => outcome === "failed").length;
  return (
    <SpaceBetween size="s">
      {failed > 0 && <Alert type="warning">{t("review.checks.failed", { failed })}</Alert>}
      {check.data.outcome === "passed" && <StatusIndicator type="success">{t("review.checks.passed")}</StatusIndicator>}
      {open.length > 0 && <CheckTable checks={open} />}
      <ExpandableSection headerText={t("review.checks.count", { checks: passed.length })}>
        <CheckTable checks={passed} />
      </ExpandableSection>
    </SpaceBetween>
  );
}
