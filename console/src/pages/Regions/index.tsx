import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ButtonDropdown from "@cloudscape-design/components/button-dropdown";
import Popover from "@cloudscape-design/components/popover";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { told } from "../../api/client";
import { useApi } from "../../api/context";
import { useMay } from "../../api/queries";
import type { Region, Schemas } from "../../api/types";
import { ConfirmModal } from "../../components/ConfirmModal";
import { useFlashes } from "../../components/flashes";
import { ResourceTable } from "../../components/ResourceTable";
import { Page } from "../../components/Shell";
import { useSpeech, useT } from "../../i18n";
import { useFormats } from "../../i18n/formats";
import { RegionDetails } from "./RegionDetails";
import { RegionEditor } from "./RegionEditor";

type Tried = Schemas["RegionTriedView"];

/** The stores that jobs can reach: where each is, what it can do, and whether it answers. */
export function Regions() {
  const t = useT();
  const may = useMay();
  const api = useApi();
  const [selected, setSelected] = useState<Region | null>(null);
  const [asked, setAsked] = useState<"create" | "change" | "delete" | null>(null);
  const [tried, setTried] = useState<Record<string, Tried | Error | undefined>>({});
  const test = useMutation({
    mutationFn: ({ name }: Region) => told(api.POST("/regions/{region}:test", { params: { path: { region: name } } })),
    onSettled: (found, error, region) => {
      setTried((before) => ({ ...before, [asOf(region)]: found ?? error ?? undefined }));
    },
  });
  const close = () => {
    setAsked(null);
  };
  const isOwn = selected !== null && !selected.is_declared;
  return (
    <Page
      title={t("nav.regions")}
      contentType="table"
      crumbs={[{ text: t("nav.title"), to: "/jobs" }, { text: t("nav.regions") }]}
    >
      <SpaceBetween size="l">
        <ResourceTable
          level="h1"
          title={t("nav.regions")}
          description={t("regions.text")}
          queryKey={["regions"]}
          load={(cursor) => told(api.GET("/regions", { params: { query: { cursor, limit: 100 } } }))}
          idOf={(region) => region.name}
          empty={{ title: t("regions.empty"), text: t("regions.empty.text") }}
          selected={selected}
          onSelect={setSelected}
          columns={[
            {
              id: "name",
              header: t("regions.name"),
              minWidth: 130,
              cell: (region) => region.name,
              isRowHeader: true,
            },
            {
              id: "endpoint",
              header: t("regions.endpoint"),
              minWidth: 210,
              cell: (region) => (
                <>
                  <span className="mono">{region.connection?.endpoint ?? "-"}</span>
                  <Box color="text-body-secondary" fontSize="body-s">
                    {t(`regions.provider.${region.provider}`)}, {region.profile}
                  </Box>
                </>
              ),
            },
            {
              id: "credentials",
              header: t("regions.credentials"),
              minWidth: 130,
              cell: (region) => t(region.has_credentials ? "regions.credentials.own" : "regions.credentials.role"),
            },
            {
              id: "reachable",
              header: t("regions.reachable"),
              cell: (region) => (
                <Reachability
                  tried={tried[asOf(region)]}
                  isAsked={test.isPending && test.variables.name === region.name}
                />
              ),
              minWidth: 180,
            },
            {
              id: "origin",
              header: t("origin.title"),
              minWidth: 110,
              cell: (region) => t(region.is_declared ? "origin.settings" : "origin.service"),
            },
          ]}
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              {may("test_region") && (
                <Button
                  disabled={!selected}
                  loading={test.isPending}
                  onClick={() => {
                    if (selected) test.mutate(selected);
                  }}
                >
                  {t("regions.test")}
                </Button>
              )}
              {may("update_region") && (
                <ButtonDropdown
                  disabled={!isOwn}
                  {...(selected?.is_declared && { disabledReason: t("origin.hint") })}
                  items={[
                    { id: "change", text: t("regions.change") },
                    { id: "delete", text: t("regions.delete") },
                  ]}
                  onItemClick={({ detail }) => {
                    setAsked(detail.id === "delete" ? "delete" : "change");
                  }}
                >
                  {t("table.actions")}
                </ButtonDropdown>
              )}
              {may("create_region") && (
                <Button
                  variant="primary"
                  onClick={() => {
                    setAsked("create");
                  }}
                >
                  {t("regions.create")}
                </Button>
              )}
            </SpaceBetween>
          }
        />
        {selected && <RegionDetails region={selected} />}
      </SpaceBetween>
      {asked === "create" && <RegionEditor onClose={close} />}
      {asked === "change" && selected && <RegionEditor region={selected} onClose={close} />}
      {asked === "delete" && selected && <DeleteRegion region={selected} onClose={close} />}
    </Page>
  );
}

/** A region that was changed, or made anew, is another one to test. */
function asOf({ name, created_at, changed_at }: Region): string {
  return JSON.stringify([name, created_at, changed_at]);
}

function Reachability({ tried, isAsked }: { tried: Tried | Error | undefined; isAsked: boolean }) {
  const { t, retold } = useSpeech();
  const formats = useFormats();
  if (isAsked) return <StatusIndicator type="loading">{t("regions.testing")}</StatusIndicator>;
  if (!tried) return <Box color="text-body-secondary">{t("regions.untested")}</Box>;
  if (tried instanceof Error) return <StatusIndicator type="error">{retold(tried.message)}</StatusIndicator>;
  if (!tried.is_reachable) {
    return (
      <Popover header={t("regions.unreachable")} content={<span className="wrap">{retold(tried.detail)}</span>}>
        <StatusIndicator type="error">{t("regions.unreachable")}</StatusIndicator>
      </Popover>
    );
  }
  const milliseconds = formats.rate((tried.latency_seconds ?? 0) * 1000);
  return (
    <SpaceBetween size="xxxs">
      <StatusIndicator type="success">{t("regions.answers", { milliseconds })}</StatusIndicator>
      <Box fontSize="body-s" color="text-body-secondary">
        {t(`regions.key.${tried.credentials}`)}
      </Box>
    </SpaceBetween>
  );
}

function DeleteRegion({ region, onClose }: { region: Region; onClose: () => void }) {
  const t = useT();
  const api = useApi();
  const queries = useQueryClient();
  const { flash } = useFlashes();
  const remove = useMutation({
    mutationFn: () => told(api.DELETE("/regions/{region}", { params: { path: { region: region.name } } })),
    onSuccess: () => {
      onClose();
      flash({ type: "success", content: ({ t }) => t("regions.delete.done", { name: region.name }) });
      return Promise.all([
        queries.invalidateQueries({ queryKey: ["regions"] }),
        queries.invalidateQueries({ queryKey: ["capabilities"] }),
      ]);
    },
  });
  return (
    <ConfirmModal
      title={t("regions.delete.do")}
      action={t("regions.delete.do")}
      typed={region.name}
      isPending={remove.isPending}
      error={remove.error}
      onConfirm={remove.mutate}
      onClose={onClose}
    >
      {t("regions.delete.effect", { name: region.name })}
    </ConfirmModal>
  );
}
