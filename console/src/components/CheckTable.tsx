import Box from "@cloudscape-design/components/box";
import StatusIndicator, { type StatusIndicatorProps } from "@cloudscape-design/components/status-indicator";
import Table from "@cloudscape-design/components/table";
import type { ReactNode } from "react";

import type { Schemas } from "../api/types";
import { useSpeech, useT } from "../i18n";
import { checkKeyOf, numberedChecks } from "./checks";
import { CopyText } from "./CopyText";

type Outcome = Schemas["CheckOutcome"];

const LOOKS: Record<Outcome, StatusIndicatorProps.Type> = { passed: "success", failed: "error", unknown: "warning" };

export function CheckOutcomeTag({ outcome }: { outcome: Outcome }) {
  const t = useT();
  return <StatusIndicator type={LOOKS[outcome]}>{t(`check.outcome.${outcome}`)}</StatusIndicator>;
}

interface CheckTableProps {
  checks: readonly Schemas["CheckView"][];
  isLoading?: boolean;
  header?: ReactNode;
}

/** What was asked before a job starts: those that keep it from starting first, each with its way out. */
export function CheckTable({ checks, isLoading = false, header }: CheckTableProps) {
  const t = useT();
  return (
    <Table
      wrapLines
      items={numberedChecks(checks)}
      trackBy={({ number }) => String(number)}
      loading={isLoading}
      loadingText={t("shell.loading")}
      ariaLabels={{ tableLabel: t("check.title") }}
      header={header}
      empty={<Box color="text-body-secondary">{t("check.none")}</Box>}
      columnDefinitions={[
        {
          id: "outcome",
          header: t("check.outcome"),
          width: 130,
          cell: ({ outcome }) => <CheckOutcomeTag outcome={outcome} />,
        },
        {
          id: "name",
          header: t("check.name"),
          width: 220,
          isRowHeader: true,
          cell: ({ name }) => <CheckName name={name} />,
        },
        {
          id: "detail",
          header: t("check.detail"),
          minWidth: 280,
          cell: (check) => <Found check={check} />,
        },
      ]}
    />
  );
}

function CheckName({ name }: { name: string }) {
  const { t, has } = useSpeech();
  const { key, option } = checkKeyOf(name);
  return <>{has(key) ? t(key, { option }) : name}</>;
}

function Found({ check }: { check: Schemas["CheckView"] }) {
  const { t, retold } = useSpeech();
  return (
    <>
      <div>{retold(check.detail)}</div>
      {check.missing_permission && (
        <div>
          <Box variant="awsui-key-label">{t("check.missing-permission")}</Box>
          <CopyText text={check.missing_permission} />
        </div>
      )}
      {check.way_out && (
        <div>
          <Box variant="awsui-key-label">{t("check.way-out")}</Box>
          {retold(check.way_out)}
        </div>
      )}
    </>
  );
}
