import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { type ReactNode, useState } from "react";

import type { Schemas } from "../api/types";
import { useSpeech, useT } from "../i18n";
import { useFormats } from "../i18n/formats";
import { CopyText } from "./CopyText";
import { Empty } from "./Empty";
import { OTHER_CODES, reportHref } from "./failures";
import { FailureSamples } from "./FailureSamples";
import { AbsoluteTime } from "./RelativeTime";

type Group = Schemas["FailureGroupView"];

interface FailureGroupsProps {
  jobId: string;
  failures: Schemas["FailuresView"];
  isFinal: boolean;
  /** Whether what failed can be tried again now, by who is asking. */
  mayRetry: boolean;
  /** Of all that failed. */
  retryable: number;
  isDryRun: boolean;
}

/** What went wrong with the objects of a job: by error code, the most frequent one first and open. */
export function FailureGroups(props: FailureGroupsProps) {
  const { jobId, failures, isFinal, mayRetry, retryable } = props;
  const t = useT();
  const [toggled, setToggled] = useState<ReadonlyMap<string, boolean>>(new Map());
  if (failures.failed === 0) {
    return (
      <Container header={<Header variant="h2">{t("job.failures")}</Header>}>
        <Empty title={t("job.failures.none")} text={t(isFinal ? "job.failures.none.text" : "job.failures.none.yet")} />
      </Container>
    );
  }
  return (
    <SpaceBetween size="l">
      <FailuresHeader jobId={jobId} failures={failures} mayRetry={mayRetry} retryable={retryable} />
      {isFinal && <RetryNote {...props} />}
      <div>
        {failures.items.map((group, index) => (
          <GroupSection
            key={group.error_code}
            jobId={jobId}
            group={group}
            isFinal={isFinal}
            mayRetry={mayRetry}
            isOpen={toggled.get(group.error_code) ?? index === 0}
            onOpen={(isOpen) => {
              setToggled((before) => new Map(before).set(group.error_code, isOpen));
            }}
          />
        ))}
      </div>
    </SpaceBetween>
  );
}

function FailuresHeader(props: Pick<FailureGroupsProps, "jobId" | "failures" | "mayRetry" | "retryable">) {
  const { jobId, failures, mayRetry, retryable } = props;
  const t = useT();
  const formats = useFormats();
  return (
    <Header
      variant="h2"
      counter={`(${formats.count(failures.failed)})`}
      description={t("job.failures.text")}
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          <Button iconName="download" href={reportHref(jobId, { failed: true })} download>
            {t("job.failures.download")}
          </Button>
          {mayRetry && (
            <Button href={`/ui/jobs/create?retry=${encodeURIComponent(jobId)}`}>
              {t("job.failures.retry", { count: retryable })}
            </Button>
          )}
        </SpaceBetween>
      }
    >
      {t("job.failures")}
    </Header>
  );
}

/** Why there is nothing to try again, or why that alone will not help. */
function RetryNote({ failures, mayRetry, retryable, isDryRun }: FailureGroupsProps) {
  const t = useT();
  if (isDryRun) return <Alert type="info">{t("job.failures.retry.dry-run")}</Alert>;
  if (retryable === 0) return <Alert type="info">{t("job.failures.retry.none")}</Alert>;
  if (!mayRetry || failures.items.some((group) => group.is_retryable)) return null;
  return <Alert type="info">{t("job.failures.retry.cause")}</Alert>;
}

interface GroupSectionProps {
  jobId: string;
  group: Group;
  isFinal: boolean;
  mayRetry: boolean;
  isOpen: boolean;
  onOpen: (isOpen: boolean) => void;
}

function GroupSection({ jobId, group, isFinal, mayRetry, isOpen, onOpen }: GroupSectionProps) {
  const t = useT();
  const formats = useFormats();
  const code = group.error_code;
  const isOfOneCode = code !== OTHER_CODES;
  return (
    <ExpandableSection
      variant="stacked"
      headingTagOverride="h3"
      headerText={isOfOneCode ? code : t("job.failures.other")}
      headerCounter={`(${formats.count(group.count)})`}
      headerDescription={t(group.is_retryable ? "job.failures.share.retryable" : "job.failures.share", {
        share: formats.percent(group.share),
      })}
      headerActions={isOfOneCode && <GroupActions jobId={jobId} group={group} mayRetry={mayRetry} />}
      expanded={isOpen}
      onChange={({ detail }) => {
        onOpen(detail.expanded);
      }}
    >
      <SpaceBetween size="m">
        <GroupHint group={group} />
        <GroupFacts group={group} />
        {isOpen && isOfOneCode && <FailureSamples jobId={jobId} code={code} count={group.count} isFinal={isFinal} />}
      </SpaceBetween>
    </ExpandableSection>
  );
}

function GroupActions({ jobId, group, mayRetry }: { jobId: string; group: Group; mayRetry: boolean }) {
  const t = useT();
  const code = group.error_code;
  const retry = new URLSearchParams({ retry: jobId, code });
  return (
    <SpaceBetween direction="horizontal" size="xs">
      <Button
        iconName="download"
        href={reportHref(jobId, { code })}
        download
        ariaLabel={t("job.failures.download-code.label", { code })}
      >
        {t("job.failures.download-code")}
      </Button>
      {mayRetry && group.is_retryable && (
        <Button href={`/ui/jobs/create?${retry.toString()}`} ariaLabel={t("job.failures.retry-code.label", { code })}>
          {t("job.failures.retry-code")}
        </Button>
      )}
    </SpaceBetween>
  );
}

/** What helps: in the user's language where the code is known, else in the service's words. */
function GroupHint({ group }: { group: Group }) {
  const { t, has, retold } = useSpeech();
  const key = `hint.${group.error_code}`;
  const text = has(key) ? t(key) : retold(group.hint) || t("hint.unknown");
  return (
    <Alert type="info" header={t("job.failures.hint")}>
      <SpaceBetween size="xs">
        <span>{text}</span>
        {group.needed_permissions.length > 0 && (
          <div>
            <Box variant="awsui-key-label">{t("job.failures.permissions")}</Box>
            {group.needed_permissions.map((permission) => (
              <div key={permission}>
                <CopyText text={permission} />
              </div>
            ))}
          </div>
        )}
      </SpaceBetween>
    </Alert>
  );
}

function GroupFacts({ group }: { group: Group }) {
  const t = useT();
  const formats = useFormats();
  const statuses = group.http_statuses.map(({ http_status: status, count }) => ({
    key: status ?? 0,
    text: t("job.failures.http.count", {
      status: status ?? t("job.failures.http.none"),
      count: formats.count(count),
    }),
  }));
  const seen = (at: string | null): ReactNode => (at ? <AbsoluteTime at={at} /> : "-");
  return (
    <KeyValuePairs
      columns={4}
      items={[
        {
          label: t("job.failures.http"),
          value: statuses.length === 0 ? "-" : statuses.map(({ key, text }) => <div key={key}>{text}</div>),
        },
        {
          label: t("job.failures.retryable"),
          value: (
            <StatusIndicator type={group.is_retryable ? "success" : "stopped"}>
              {t(group.is_retryable ? "job.failures.retryable.yes" : "job.failures.retryable.no")}
            </StatusIndicator>
          ),
        },
        { label: t("job.failures.first"), value: seen(group.first_seen) },
        { label: t("job.failures.last"), value: seen(group.last_seen) },
      ]}
    />
  );
}
