import Box from "@cloudscape-design/components/box";
import Popover from "@cloudscape-design/components/popover";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import type { TableProps } from "@cloudscape-design/components/table";
import type { ReactNode } from "react";

import { useMay } from "../../api/queries";
import type { Role } from "../../api/types";
import { CopyText } from "../../components/CopyText";
import { RelativeTime } from "../../components/RelativeTime";
import { roleName } from "../../components/roleNames";
import { useT } from "../../i18n";
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
    { id: "provider", header: t("roles.provider"), minWidth: 140, cell: (role) => <Provider role={role} /> },
    ...(may("create_role")
      ? [
          {
            id: "endpoint",
            header: t("roles.endpoint"),
            minWidth: 130,
            cell: (role: Role) => <Endpoint role={role} />,
          },
        ]
      : []),
    { id: "buckets", header: t("roles.buckets"), minWidth: 130, cell: (role) => <Buckets role={role} /> },
    {
      id: "jobs",
      header: t("roles.jobs"),
      minWidth: 120,
      cell: ({ used_by_jobs: { unfinished, total } }) =>
        total === 0 ? t("roles.jobs.none") : t("roles.jobs.count", { unfinished, total }),
    },
    { id: "tested", header: t("roles.tested"), minWidth: 180, cell: (role) => <LastTest test={role.last_test} /> },
    {
      id: "origin",
      header: t("roles.created"),
      minWidth: 110,
      cell: (role) => (
        <>
          {role.created_at && <RelativeTime at={role.created_at} />}
          <Small>{t(role.is_declared ? "origin.settings" : "origin.service")}</Small>
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

function Provider({ role: { provider } }: { role: Role }) {
  const t = useT();
  return (
    <Popover
      triggerType="text"
      wrapTriggerText
      header={t(`roles.provider.${provider}`)}
      content={t(`roles.provider.${provider}.hint`)}
    >
      {t(`roles.provider.${provider}`)}
    </Popover>
  );
}

function Endpoint({ role: { provider, provider_details: details } }: { role: Role }) {
  const t = useT();
  if (!takesSts(provider) || !details) return <Box color="text-body-secondary">{t("roles.endpoint.none")}</Box>;
  return (
    <>
      {details.sts_endpoint ? <span className="mono">{details.sts_endpoint}</span> : t("roles.endpoint.own")}
      {details.sts_region && <Small>{details.sts_region}</Small>}
      {details.external_id && <Small>{t("roles.endpoint.external", { id: details.external_id })}</Small>}
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
  const t = useT();
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
      {summary && <Small>{t(summary.text, { purposes: summary.purposes.map((key) => t(key)).join(", ") })}</Small>}
      {test.refusal && <Small>{t("roles.refused")}</Small>}
    </>
  );
}
