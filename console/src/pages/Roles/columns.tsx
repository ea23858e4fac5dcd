import Box from "@cloudscape-design/components/box";
import Popover from "@cloudscape-design/components/popover";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import type { TableProps } from "@cloudscape-design/components/table";
import type { ReactNode } from "react";

import { useMay } from "../../api/queries";
import type { Role, Schemas } from "../../api/types";
import { CopyText } from "../../components/CopyText";
import { RelativeTime } from "../../components/RelativeTime";
import { roleName } from "../../components/roleNames";
import { useSpeech, useT } from "../../i18n";
import { Accesses } from "./Accesses";
import { takesSts } from "./roleForm";
import { OUTCOMES, type RoleTest, summaryOf } from "./verdicts";

/** Who may do nothing with roles sees what they are called, and no more. */
export function useRoleColumns(): TableProps.ColumnDefinition<Role>[] {
  const t = useT();
  const may = useMay();
  const name: TableProps.ColumnDefinition<Role> = {
    id: "name",
    header: t("roles.name"),
    isRowHeader: true,
    minWidth: 230,
    cell: (role) => <Name role={role} />,
  };
  if (!may("test_role")) return [name];
  return [
    name,
    { id: "provider", header: t("roles.provider"), minWidth: 150, cell: (role) => <Provider role={role} /> },
    { id: "buckets", header: t("roles.buckets"), minWidth: 120, cell: (role) => <Buckets role={role} /> },
    {
      id: "jobs",
      header: t("roles.jobs"),
      minWidth: 110,
      cell: ({ used_by_jobs: { unfinished, total, newest_at: newest } }) => (
        <>
          {total === 0 ? t("roles.jobs.none") : t("roles.jobs.count", { unfinished, total })}
          {newest && (
            <Small>
              {t("roles.jobs.newest")} <RelativeTime at={newest} isShort />
            </Small>
          )}
        </>
      ),
    },
    { id: "tested", header: t("roles.tested"), minWidth: 140, cell: (role) => <LastTest test={role.last_test} /> },
    {
      id: "origin",
      header: t("origin.title"),
      minWidth: 130,
      cell: (role) => (
        <>
          {t(role.is_declared ? "origin.settings" : "origin.service")}
          {role.created_at && (
            <Small>
              {t("roles.created")} <RelativeTime at={role.created_at} isShort />
            </Small>
          )}
          {role.key_changed_at && (
            <Small>
              {t("roles.key-changed")} <RelativeTime at={role.key_changed_at} isShort />
            </Small>
          )}
        </>
      ),
    },
  ];
}

function Small({ children }: { children: ReactNode }) {
  return (
    <Box color="text-body-secondary" fontSize="body-s">
      {children}
    </Box>
  );
}

function Name({ role: { role_arn: arn, description } }: { role: Role }) {
  return (
    <>
      <Box variant="strong">{roleName(arn)}</Box>
      {description && <Small>{description}</Small>}
      <Small>
        <span className="mono">
          <CopyText text={arn} />
        </span>
      </Small>
    </>
  );
}

function Provider({ role: { provider, provider_details: details } }: { role: Role }) {
  const t = useT();
  return (
    <>
      <Popover
        triggerType="text"
        wrapTriggerText
        header={t(`roles.provider.${provider}`)}
        content={t(`roles.provider.${provider}.hint`)}
      >
        {t(`roles.provider.${provider}`)}
      </Popover>
      {details && <KeyHint hint={details.access_key_id} />}
      {takesSts(provider) && details && <Sts details={details} />}
    </>
  );
}

/** Told to administrators only, as all details. */
function KeyHint({ hint }: { hint: string }) {
  const t = useT();
  return <Small>{hint ? t("roles.key", { hint }) : t("roles.key.unread")}</Small>;
}

function Sts({ details }: { details: Schemas["ProviderDetails"] }) {
  const t = useT();
  const { sts_endpoint: endpoint, sts_region: region, external_id: externalId } = details;
  return (
    <>
      <Small>{endpoint ? <span className="mono">{endpoint}</span> : t("roles.endpoint.own")}</Small>
      {region && <Small>{region}</Small>}
      {externalId && <Small>{t("roles.endpoint.external", { id: externalId })}</Small>}
    </>
  );
}

const BUCKETS_SHOWN = 3;

function Buckets({ role: { writable_buckets: buckets } }: { role: Role }) {
  const t = useT();
  if (buckets.length === 0) return t("roles.buckets.any");
  const more = buckets.length - BUCKETS_SHOWN;
  return (
    <>
      {buckets.slice(0, BUCKETS_SHOWN).map((bucket) => (
        <div key={bucket} className="mono">
          {bucket}
        </div>
      ))}
      {more > 0 && (
        <Popover
          triggerType="text"
          header={t("roles.buckets")}
          content={buckets.map((bucket) => (
            <div key={bucket} className="mono">
              {bucket}
            </div>
          ))}
        >
          {t("roles.buckets.more", { count: more })}
        </Popover>
      )}
    </>
  );
}

function LastTest({ test }: { test: RoleTest | null }) {
  const { t, language } = useSpeech();
  if (!test) return <Box color="text-body-secondary">{t("roles.tested.never")}</Box>;
  const outcome = OUTCOMES[test.outcome];
  const summary = summaryOf(test.accesses);
  return (
    <>
      <StatusIndicator type={outcome.icon}>
        <Popover
          triggerType="text"
          wrapTriggerText
          size="large"
          header={t("roles.tested.by", { by: test.by })}
          content={
            <SpaceBetween size="s">
              <Box>{t(outcome.long)}</Box>
              {test.refusal && <Box>{t("roles.refusal", { refusal: test.refusal })}</Box>}
              {test.accesses.length > 0 && <Accesses accesses={test.accesses} />}
            </SpaceBetween>
          }
        >
          {t(outcome.text)}
        </Popover>
      </StatusIndicator>
      <Small>
        <RelativeTime at={test.at} />
      </Small>
      {summary && (
        <Small>
          {t(summary.text, { purposes: new Intl.ListFormat(language).format(summary.purposes.map((key) => t(key))) })}
        </Small>
      )}
      {test.refusal && <Small>{t("roles.refused")}</Small>}
    </>
  );
}
