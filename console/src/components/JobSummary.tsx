import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import Link from "@cloudscape-design/components/link";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { ReactNode } from "react";

import type { JobForm } from "../api/types";
import { useT } from "../i18n";
import { useFormats } from "../i18n/formats";
import { CopyText } from "./CopyText";
import { type SectionId, type SummarySection, summaryOf, type SummaryValue } from "./jobSummary";
import { AbsoluteTime } from "./RelativeTime";

interface JobSummaryProps {
  form: JobForm;
  /** Beside a section's heading: a button that leads to where it can be changed. */
  actionsOf?: (section: SectionId) => ReactNode;
}

/** What a job is asked to do, as labels and values in the words of the create page. */
export function JobSummary({ form, actionsOf }: JobSummaryProps) {
  const t = useT();
  return (
    <SpaceBetween size="l">
      {summaryOf(form).map((section) => (
        <Container
          key={section.id}
          header={
            <Header variant="h2" actions={actionsOf?.(section.id)}>
              {t(section.title)}
            </Header>
          }
        >
          <SectionPairs section={section} />
        </Container>
      ))}
    </SpaceBetween>
  );
}

function SectionPairs({ section }: { section: SummarySection }) {
  const t = useT();
  return (
    <KeyValuePairs
      columns={3}
      minColumnWidth={220}
      items={section.pairs.map(({ label, value }) => ({ label: t(label), value: <Value value={value} /> }))}
    />
  );
}

function Value({ value }: { value: SummaryValue }) {
  const t = useT();
  const formats = useFormats();
  switch (value.kind) {
    case "said":
      return t(value.key, value.values);
    case "words":
      return value.text;
    case "code":
      return value.text ? <CopyText text={value.text} /> : t("job.summary.none");
    case "number":
      return formats.count(value.number);
    case "bytes":
      return t("job.summary.mib", { size: value.bytes / 2 ** 20 });
    case "share":
      return t(value.key, { share: formats.percent(value.share) });
    case "time":
      return <AbsoluteTime at={value.at} />;
    case "job":
      return <Link href={`/ui/jobs/${value.id}`}>{value.id}</Link>;
    case "pairs":
      return (
        <Lines lines={value.pairs.map((pair) => (pair.value ? `${pair.key} = ${pair.value}` : pair.key))} isCode />
      );
    case "list":
      return <Lines lines={value.members} isCode />;
    case "columns":
      return (
        <Lines
          lines={value.fields.map((field, index) =>
            t("job.summary.column", {
              number: index + 1,
              field: field === "Ignore" ? t("job.summary.ignore") : field,
            }),
          )}
        />
      );
    case "grants":
      return <Lines lines={value.grants.map((grant) => t("job.summary.grant", { ...grant }))} />;
  }
}

function Lines({ lines, isCode = false }: { lines: readonly string[]; isCode?: boolean }) {
  return (
    <>
      {lines.map((line) => (
        <div key={line} className={isCode ? "mono" : undefined}>
          {line}
        </div>
      ))}
    </>
  );
}
