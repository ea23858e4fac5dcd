import Box from "@cloudscape-design/components/box";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";

import { CopyText } from "../../components/CopyText";
import { useSpeech, useT } from "../../i18n";
import { PURPOSES, type Tried, VERDICTS } from "./verdicts";

/** The four ticks: what a job needs, whether the role may do it, and what was asked of the store to find out. */
export function Accesses({ accesses }: { accesses: readonly Tried[] }) {
  const { t, retold } = useSpeech();
  return (
    <ul className="roles-accesses">
      {accesses.map(({ purpose, verdict, detail }) => (
        <li key={purpose}>
          <StatusIndicator type={VERDICTS[verdict].icon}>
            {t("roles.access", { purpose: t(PURPOSES[purpose]), verdict: t(VERDICTS[verdict].text) })}
          </StatusIndicator>
          <Box color="text-body-secondary" fontSize="body-s" padding={{ left: "l" }}>
            <span className="mono">{retold(detail)}</span>
          </Box>
        </li>
      ))}
    </ul>
  );
}

/** What has to be allowed to the role at its provider. */
export function MissingPermissions({ missing }: { missing: readonly string[] }) {
  const t = useT();
  return (
    <SpaceBetween size="xxs">
      <Box variant="strong">{t("roles.missing", { count: missing.length })}</Box>
      {missing.map((permission) => (
        <div key={permission} className="mono">
          <CopyText text={permission} />
        </div>
      ))}
      <Box color="text-body-secondary" fontSize="body-s">
        {t("roles.missing.text")}
      </Box>
    </SpaceBetween>
  );
}
