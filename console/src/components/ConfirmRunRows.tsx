import Box from "@cloudscape-design/components/box";
import Table from "@cloudscape-design/components/table";
import { useQuery } from "@tanstack/react-query";

import { told } from "../api/client";
import { useApi } from "../api/context";
import { useMayLook } from "../api/queries";
import type { JobForm, Schemas } from "../api/types";
import { useT } from "../i18n";
import { ErrorAlert } from "./ErrorAlert";

const SHOWN = 5;

/** The first rows of a job's manifest: a look at what it is about to do, for whoever lets it run. */
export function ConfirmRunRows({ jobId }: { jobId: string }) {
  const t = useT();
  const look = useFirstRows(jobId);
  if (look.isError) return <ErrorAlert error={look.error} header={t("action.confirm.rows.failed")} />;
  if (look.data === null) return null;
  return (
    <Table
      variant="embedded"
      contentDensity="compact"
      wrapLines
      loading={look.isPending}
      loadingText={t("shell.loading")}
      header={<Box variant="h4">{t("action.confirm.rows")}</Box>}
      items={look.data?.slice(0, SHOWN) ?? []}
      trackBy={({ line }) => String(line)}
      columnDefinitions={[
        { id: "line", header: t("action.confirm.rows.line"), cell: ({ line }) => line, width: 80 },
        {
          id: "key",
          header: t("action.confirm.rows.key"),
          cell: ({ row, cells }) => <span className="mono">{row?.key ?? cells.join(" ")}</span>,
        },
      ]}
    />
  );
}

/** Null where there is nothing to look at: a retry has no manifest of its own, and not everybody may look. */
function useFirstRows(jobId: string) {
  const api = useApi();
  const mayLook = useMayLook("inspect_manifest");
  const params = { path: { job_id: jobId } };
  return useQuery({
    queryKey: ["job", jobId, "first-rows"],
    staleTime: 60_000,
    queryFn: async (): Promise<Schemas["SampleRowView"][] | null> => {
      const { request } = await told(api.GET("/jobs/{job_id}", { params }));
      if (!mayLook(request.role_arn)) return null;
      const body = lookOf(request);
      return body && (await told(api.POST("/manifests:inspect", { body }))).first_rows;
    },
  });
}

function lookOf({ region, role_arn, manifest: { location, spec } }: JobForm): Schemas["LookForm"] | null {
  if (location.retry_of) return null;
  const { object_arn, etag, object_version_id } = location;
  return {
    region,
    role_arn: role_arn ?? "",
    manifest: { location: { object_arn, etag: etag ?? "", object_version_id: object_version_id ?? "" }, spec },
  };
}
