import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import PropertyFilter, { type PropertyFilterProps } from "@cloudscape-design/components/property-filter";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { useSearchParams } from "react-router";

import { told } from "../api/client";
import { useApi } from "../api/context";
import type { Schemas } from "../api/types";
import { CopyText } from "../components/CopyText";
import { AbsoluteTime } from "../components/RelativeTime";
import { ResourceTable } from "../components/ResourceTable";
import { Page } from "../components/Shell";
import { useSpeech, useT } from "../i18n";
import { type AuditQuery, queryOf, searchOf } from "./auditQuery";

const OUTCOMES: readonly Schemas["Outcome"][] = ["done", "refused"];

/** Who did what, and what was refused. The filter stands in the address, so that it can be passed on. */
export function Audit() {
  const { t, retold } = useSpeech();
  const api = useApi();
  const [search, setSearch] = useSearchParams();
  const query = queryOf(search);
  const csv = `/api/v1/audit.csv?${searchOf(query).toString()}`;
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
        load={(cursor) => told(api.GET("/audit", { params: { query: { ...query, cursor, limit: 100 } } }))}
        idOf={(line) => String(line.id)}
        empty={{ title: t("audit.empty"), text: t("audit.empty.text") }}
        actions={
          <Button iconName="download" href={csv} download>
            {t("audit.download")}
          </Button>
        }
        filter={
          <AuditFilter
            query={query}
            onChange={(changed) => {
              setSearch(searchOf(changed), { replace: true });
            }}
          />
        }
        columns={[
          { id: "at", header: t("audit.at"), cell: (line) => <AbsoluteTime at={line.at} />, minWidth: 135 },
          { id: "actor", header: t("audit.actor"), minWidth: 80, cell: (line) => line.actor || "-" },
          {
            id: "via",
            header: t("audit.via"),
            minWidth: 95,
            cell: (line) => t(`via.${line.via}` as "via.cos"),
          },
          {
            id: "action",
            minWidth: 115,
            header: t("audit.action"),
            cell: (line) => <Box variant="code">{line.action}</Box>,
            isRowHeader: true,
          },
          {
            id: "target",
            minWidth: 170,
            header: t("audit.target"),
            cell: (line) => <span className="mono">{line.target || "-"}</span>,
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
            minWidth: 110,
            cell: (line) => <span className="wrap">{retold(line.detail) || "-"}</span>,
          },
          {
            id: "request",
            minWidth: 140,
            header: t("audit.request"),
            cell: (line) =>
              line.request_id ? <CopyText text={line.request_id} shown={line.request_id.slice(0, 8)} /> : "-",
          },
        ]}
      />
    </Page>
  );
}

function AuditFilter({ query, onChange }: { query: AuditQuery; onChange: (query: AuditQuery) => void }) {
  const t = useT();
  const text = (key: "actor" | "action" | "target") => ({
    key,
    propertyLabel: t(`audit.${key}`),
    groupValuesLabel: t(`audit.${key}`),
    operators: ["="],
  });
  const time = (key: "since" | "until") => ({
    key,
    propertyLabel: t(`audit.${key}`),
    groupValuesLabel: t(`audit.${key}`),
    operators: ["="],
  });
  const properties: PropertyFilterProps.FilteringProperty[] = [
    text("actor"),
    text("action"),
    text("target"),
    { key: "outcome", propertyLabel: t("audit.outcome"), groupValuesLabel: t("audit.outcome"), operators: ["="] },
    time("since"),
    time("until"),
  ];
  const tokens = Object.entries(query).map(([propertyKey, value]) => ({ propertyKey, operator: "=", value }));
  return (
    <PropertyFilter
      query={{ tokens, operation: "and" }}
      hideOperations
      disableFreeTextFiltering
      filteringProperties={properties}
      filteringOptions={OUTCOMES.map((value) => ({ propertyKey: "outcome", value, label: t(`outcome.${value}`) }))}
      filteringPlaceholder={t("audit.filter")}
      filteringAriaLabel={t("audit.filter")}
      onChange={({ detail }) => {
        const last = new URLSearchParams();
        for (const { propertyKey, value } of detail.tokens) {
          if (propertyKey && typeof value === "string") last.set(propertyKey, value);
        }
        onChange(queryOf(last));
      }}
    />
  );
}
