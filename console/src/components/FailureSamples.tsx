import Box from "@cloudscape-design/components/box";
import Header from "@cloudscape-design/components/header";
import Table from "@cloudscape-design/components/table";

import { useFailuresOfCode } from "../api/jobQueries";
import type { Schemas } from "../api/types";
import { useSpeech, useT } from "../i18n";
import { CopyText } from "./CopyText";
import { ErrorAlert } from "./ErrorAlert";
import { encodedKey } from "./failures";

/** As many characters tell two requests apart; all of them are copied. */
const SHOWN_OF_ID = 12;

type Sample = Schemas["FailureSampleView"];

interface FailureSamplesProps {
  jobId: string;
  code: string;
  /** Of all failures with this code. */
  count: number;
  /** Whether the job has ended, and no more of them come. */
  isFinal: boolean;
}

/** The first objects that failed with a code, each with what the store said. HTTP statuses stand in the head of the group. */
export function FailureSamples({ jobId, code, count, isFinal }: FailureSamplesProps) {
  const { t, retold } = useSpeech();
  const found = useFailuresOfCode(jobId, code, !isFinal);
  if (found.isError && found.data === undefined) {
    return <ErrorAlert error={found.error} header={t("job.samples.failed")} onRetry={() => void found.refetch()} />;
  }
  const samples = found.data?.samples ?? [];
  const hasVersions = samples.some(({ version_id: version }) => version);
  return (
    <Table
      variant="embedded"
      wrapLines
      items={samples}
      loading={found.isPending}
      loadingText={t("shell.loading")}
      ariaLabels={{ tableLabel: t("job.samples.of", { code }) }}
      header={
        <Header variant="h3" description={t("job.samples.text", { shown: samples.length, count })}>
          {t("job.samples")}
        </Header>
      }
      empty={<Box color="text-body-secondary">{t("job.samples.none")}</Box>}
      columnDefinitions={[
        {
          id: "key",
          header: t("job.samples.key"),
          isRowHeader: true,
          minWidth: 230,
          cell: (each) => <Key of={each} />,
        },
        ...(hasVersions
          ? [
              {
                id: "version",
                header: t("job.summary.version"),
                minWidth: 100,
                cell: ({ version_id: version }: Sample) => (version ? <CopyText text={version} /> : "-"),
              },
            ]
          : []),
        {
          id: "message",
          header: t("job.samples.message"),
          minWidth: 180,
          cell: ({ message }) => (message ? <CopyText text={message} shown={retold(message)} /> : "-"),
        },
        { id: "requests", header: t("job.samples.requests"), minWidth: 110, cell: ({ requests }) => requests },
        {
          id: "request",
          header: t("job.samples.request"),
          minWidth: 130,
          cell: ({ request_id: id }) => (id ? <CopyText text={id} shown={id.slice(0, SHOWN_OF_ID)} isShort /> : "-"),
        },
      ]}
    />
  );
}

/** As people read it, and below as it stands in reports and manifests where that looks different. */
function Key({ of: { key } }: { of: Sample }) {
  const t = useT();
  const encoded = encodedKey(key);
  return (
    <>
      <span className="mono">
        <CopyText text={key} />
      </span>
      {encoded !== key && (
        <Box fontSize="body-s" color="text-body-secondary">
          {t("job.samples.encoded")} <CopyText text={encoded} />
        </Box>
      )}
    </>
  );
}
