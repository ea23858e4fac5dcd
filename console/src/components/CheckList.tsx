import Box from "@cloudscape-design/components/box";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator, { type StatusIndicatorProps } from "@cloudscape-design/components/status-indicator";

import type { Schemas } from "../api/types";
import { useSpeech } from "../i18n";
import { CopyText } from "./CopyText";

type Check = Schemas["CheckView"];

const TYPES: Record<Schemas["CheckOutcome"], StatusIndicatorProps.Type> = {
  passed: "success",
  failed: "error",
  unknown: "warning",
};
const OPTION = "option_";

/** What pre-flight has found: what needs somebody first, with its way out, and what is in order folded away. */
export function CheckList({ checks }: { checks: readonly Check[] }) {
  const { t } = useSpeech();
  const passed = checks.filter(({ outcome }) => outcome === "passed");
  return (
    <SpaceBetween size="s">
      {(["failed", "unknown"] as const).flatMap((outcome) =>
        checks
          .filter((check) => check.outcome === outcome)
          .map((check) => <CheckRow key={keyOf(check)} check={check} />),
      )}
      {passed.length > 0 && (
        <ExpandableSection headerText={t("check.passed", { checks: passed.length })}>
          <SpaceBetween size="xs">
            {passed.map((check) => (
              <CheckRow key={keyOf(check)} check={check} />
            ))}
          </SpaceBetween>
        </ExpandableSection>
      )}
    </SpaceBetween>
  );
}

function CheckRow({ check }: { check: Check }) {
  const { t, has } = useSpeech();
  const known = `check.name.${check.name}`;
  const name = check.name.startsWith(OPTION)
    ? t("check.option", { option: check.name.slice(OPTION.length).replaceAll("_", "-") })
    : has(known)
      ? t(known)
      : check.name;
  return (
    <div>
      <StatusIndicator type={TYPES[check.outcome]}>
        {name}: {t(`check.outcome.${check.outcome}`)}
      </StatusIndicator>
      <Box padding={{ left: "l" }} fontSize="body-s" color="text-body-secondary">
        <div className="wrap">{check.detail}</div>
        {check.missing_permission && (
          <div>
            {t("check.permission")} <CopyText text={check.missing_permission} />
          </div>
        )}
        {check.way_out && <div>{t("check.way-out", { text: check.way_out })}</div>}
      </Box>
    </div>
  );
}

function keyOf({ name, detail }: Check): string {
  return `${name} ${detail}`;
}
