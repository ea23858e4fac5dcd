import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Link from "@cloudscape-design/components/link";
import PropertyFilter, { type PropertyFilterProps } from "@cloudscape-design/components/property-filter";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { useSearchParams } from "react-router";

import { told } from "../api/client";
import { useApi } from "../api/context";
import { useAccounts } from "../api/people";
import { useSession } from "../api/queries";
import type { Schemas } from "../api/types";
import { CopyText } from "../components/CopyText";
import { FilterDay } from "../components/FilterDay";
import { AbsoluteTime } from "../components/RelativeTime";
import { ResourceTable } from "../components/ResourceTable";
import { Page } from "../components/Shell";
import { UnreadFilter } from "../components/UnreadFilter";
import { type Translate, useSpeech, useT } from "../i18n";
import { usePreferences } from "../preferences";
import { jobOf, namedAction } from "./auditActions";
import {
  addressOf,
  type AuditView,
  operatorOf,
  OUTCOMES,
  PROPERTIES,
  type Property,
  queryOf,
  searchOf,
  tokensOf,
  unreadOf,
  viewOf,
  viewOfTokens,
} from "./auditQuery";

const accountOf = ({ account }: Schemas["AuditLineView"]) => account || "-";

/** Who did what, and what was refused. The filter stands in the address, so that it can be passed on. */
export function Audit() {
  const { t, retold } = useSpeech();
  const api = useApi();
  const [search, setSearch] = useSearchParams();
  const ofAccount = useSession().data?.is_service_operator ?? false;
  const ofAccounts = (useAccounts().data?.length ?? 0) > 1;
  const { timeZone } = usePreferences().preferences;
  const asked = viewOf(search);
  const view = ofAccount ? asked : { ...asked, account: "" };
  const query = queryOf(view, { timeZone, ofAccount });
  const csv = `/api/v1/audit.csv?${searchOf(query)}`;
  return (
    <Page
      title={t("nav.audit")}
      contentType="table"
      crumbs={[{ text: t("nav.title"), to: "/jobs" }, { text: t("nav.audit") }]}
    >
      <ResourceTable
        level="h1"
        title={t("nav.audit")}
        description={t("audit.text")}
        queryKey={["audit", query]}
        load={(cursor) => told(api.GET("/audit", { params: { query: { ...query, cursor, limit: 50 } } }))}
        idOf={(line) => String(line.id)}
        empty={{ title: t("audit.empty"), text: t("audit.empty.text") }}
        actions={
          <Button iconName="download" href={csv} download>
            {t("audit.download")}
          </Button>
        }
        filter={
          <AuditFilter
            view={view}
            properties={PROPERTIES.filter((property) => property !== "account" || ofAccount)}
            onChange={(changed) => {
              setSearch(addressOf(changed), { replace: true });
            }}
          />
        }
        columns={[
          { id: "at", header: t("audit.at"), cell: (line) => <AbsoluteTime at={line.at} />, minWidth: 125 },
          ...(ofAccounts ? [{ id: "account", header: t("audit.account"), minWidth: 80, cell: accountOf }] : []),
          { id: "actor", header: t("audit.actor"), minWidth: 75, cell: (line) => line.actor || "-" },
          {
            id: "via",
            header: t("audit.via"),
            minWidth: 80,
            cell: (line) => t(`via.${line.via}` as "via.cos"),
          },
          {
            id: "action",
            minWidth: 110,
            header: t("audit.action"),
            cell: (line) => <Action code={line.action} />,
            isRowHeader: true,
          },
          {
            id: "target",
            minWidth: 135,
            header: t("audit.target"),
            cell: (line) => <Target of={line} />,
          },
          {
            id: "outcome",
            minWidth: 90,
            header: t("audit.outcome"),
            cell: (line) => (
              <StatusIndicator type={line.outcome === "done" ? "success" : "error"}>
                {t(`outcome.${line.outcome}`)}
              </StatusIndicator>
            ),
          },
          {
            id: "detail",
            header: t("audit.detail"),
            minWidth: 120,
            cell: (line) => <span className="wrap">{retold(line.detail) || "-"}</span>,
          },
          {
            id: "request",
            minWidth: 130,
            header: t("audit.request"),
            cell: (line) =>
              line.request_id ? <CopyText text={line.request_id} shown={line.request_id.slice(0, 8)} isShort /> : "-",
          },
        ]}
      />
    </Page>
  );
}

/** As people call it, and below the code that the filter takes. */
function Action({ code }: { code: string }) {
  const t = useT();
  const named = namedAction(code);
  return (
    <>
      {named && t(`audit.action.${named}`)}
      <Box fontSize="body-s">
        <Box variant="code">{code}</Box>
      </Box>
    </>
  );
}

function Target({ of }: { of: Schemas["AuditLineView"] }) {
  const job = jobOf(of, useSession().data?.account.name);
  return <span className="mono">{job ? <Link href={`/ui/jobs/${job}`}>{job}</Link> : of.target || "-"}</span>;
}

interface AuditFilterProps {
  view: AuditView;
  properties: readonly Property[];
  onChange: (view: AuditView) => void;
}

function AuditFilter({ view, properties, onChange }: AuditFilterProps) {
  const t = useT();
  const accounts = useAccounts().data ?? [];
  const unread = unreadOf(view).map((each) => ({ ...each, label: t(`audit.${each.property}`) }));
  return (
    <PropertyFilter
      query={{ tokens: tokensOf(view), operation: "and" }}
      hideOperations
      disableFreeTextFiltering
      expandToViewport
      filteringConstraintText={unread.length > 0 && <UnreadFilter of={unread} />}
      filteringProperties={properties.map((property) => shapeOf(property, t))}
      filteringOptions={[
        ...accounts.map(({ name }) => ({ propertyKey: "account", value: name })),
        ...OUTCOMES.map((value) => ({ propertyKey: "outcome", value, label: t(`outcome.${value}`) })),
      ]}
      filteringPlaceholder={t("audit.filter")}
      filteringAriaLabel={t("audit.filter")}
      filteringEmpty={t("filter.none")}
      onChange={({ detail }) => {
        onChange(viewOfTokens(detail.tokens));
      }}
    />
  );
}

function shapeOf(property: Property, t: Translate): PropertyFilterProps.FilteringProperty {
  const operator = operatorOf(property) as PropertyFilterProps.ComparisonOperator;
  return {
    key: property,
    propertyLabel: t(`audit.${property}`),
    groupValuesLabel: t(`audit.${property}`),
    operators: [property === "since" || property === "until" ? { operator, form: FilterDay } : operator],
    defaultOperator: operator,
  };
}
