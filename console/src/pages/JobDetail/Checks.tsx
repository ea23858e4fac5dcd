import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import Skeleton from "@cloudscape-design/components/skeleton";
import SpaceBetween from "@cloudscape-design/components/space-between";

import { useJobEstimate, useJobPreflight } from "../../api/jobQueries";
import type { Job, Schemas } from "../../api/types";
import { CheckOutcomeTag, CheckTable } from "../../components/CheckTable";
import { CopyText } from "../../components/CopyText";
import { ErrorAlert } from "../../components/ErrorAlert";
import { EstimateCard } from "../../components/EstimateCard";
import { estimateOf } from "../../components/estimate";
import { AbsoluteTime } from "../../components/RelativeTime";
import { useT } from "../../i18n";
import { useFormats } from "../../i18n/formats";

/** What was found of a job before it started: whether it could run, and what it comes to. */
export function Checks({ job }: { job: Job }) {
  return (
    <SpaceBetween size="l">
      <Preflight job={job} />
      <EstimateOfJob job={job} />
      {job.findings && <Findings job={job} findings={job.findings} />}
    </SpaceBetween>
  );
}

function Preflight({ job }: { job: Job }) {
  const t = useT();
  const found = useJobPreflight(job.job_id, job.status === "New" || job.status === "Preparing");
  if (found.isError && !found.data) {
    return <ErrorAlert error={found.error} header={t("check.failed")} onRetry={() => void found.refetch()} />;
  }
  const checkedAt = found.data?.checked_at;
  return (
    <CheckTable
      checks={found.data?.checks ?? []}
      isLoading={found.isPending}
      header={
        <Header
          variant="h2"
          description={
            checkedAt ? (
              <>
                {t("check.checked-at")} <AbsoluteTime at={checkedAt} />
              </>
            ) : (
              t("check.text")
            )
          }
          info={found.data?.outcome && <CheckOutcomeTag outcome={found.data.outcome} />}
        >
          {t("check.title")}
        </Header>
      }
    />
  );
}

function EstimateOfJob({ job }: { job: Job }) {
  const t = useT();
  const found = useJobEstimate(job.job_id);
  const estimate = estimateOf(found.data?.estimate);
  return (
    <Container
      header={
        <Header variant="h2" description={t("check.estimate.text")}>
          {t("check.estimate")}
        </Header>
      }
    >
      {found.isPending && <Skeleton height="80px" />}
      {found.isError && !found.data && (
        <ErrorAlert error={found.error} header={t("check.estimate.failed")} onRetry={() => void found.refetch()} />
      )}
      {estimate && <EstimateCard estimate={estimate} />}
      {found.data && !estimate && (
        <Box color="text-body-secondary">
          {t(job.is_final || job.findings ? "check.estimate.none" : "check.estimate.not-yet")}
        </Box>
      )}
    </Container>
  );
}

function Findings({ job, findings }: { job: Job; findings: Schemas["FindingsView"] }) {
  const t = useT();
  const formats = useFormats();
  const { listed } = findings;
  const isCopy = job.operation_name === "COSPutObjectCopy";
  const count = (value: number | undefined) => (value === undefined ? "-" : formats.count(value));
  return (
    <Container
      header={
        <Header variant="h2" description={t("check.findings.text")}>
          {t("check.findings")}
        </Header>
      }
    >
      <KeyValuePairs
        columns={4}
        items={[
          { label: t("check.findings.source"), value: <CopyText text={findings.source_bucket} /> },
          {
            label: t("check.findings.source-versioning"),
            value: t(`check.versioning.${findings.source_versioning}`),
          },
          ...(isCopy
            ? [
                {
                  label: t("check.findings.target-versioning"),
                  value: t(`check.versioning.${findings.target_versioning}`),
                },
              ]
            : []),
          { label: t("check.findings.etag"), value: <CopyText text={findings.manifest_etag} /> },
          { label: t("check.findings.rows"), value: count(listed?.rows) },
          { label: t("check.findings.not-sent"), value: count(listed?.not_sent) },
          {
            label: t("check.findings.size"),
            value: listed?.size_bytes == null ? t("check.estimate.unknown") : formats.bytes(listed.size_bytes),
          },
          ...(isCopy
            ? [
                { label: t("check.findings.large"), value: count(listed?.large) },
                { label: t("check.findings.parts"), value: count(listed?.parts) },
              ]
            : []),
        ]}
      />
    </Container>
  );
}
