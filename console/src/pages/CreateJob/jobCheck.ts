import { useQuery } from "@tanstack/react-query";

import { told } from "../../api/client";
import { useApi } from "../../api/context";
import type { Capabilities, Schemas } from "../../api/types";
import { toJobForm } from "./form";
import { changed, type Draft } from "./model";

type Checked = Schemas["JobCheckedView"];

/**
 * What the service says of a job before it is made: asked once for each job that is looked at, and when the user wants
 * it, for it begins uploads in the job's buckets. How much a deletion may delete does not count: that is typed below.
 */
export function useJobCheck(draft: Draft, capabilities: Capabilities, { isOff }: { isOff: boolean }) {
  const api = useApi();
  const body = toJobForm(changed(draft, { confirm_delete_count: "" }), capabilities);
  return useQuery({
    queryKey: ["job-check", JSON.stringify(body)],
    enabled: !isOff,
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
    retry: false,
    queryFn: async (): Promise<Checked> => withoutCount(await told(api.POST("/jobs:check", { body }))),
  });
}

/** Without the check that a deletion names its number, and with what comes of the others. */
export function withoutCount(checked: Checked): Checked {
  const checks = checked.checks.filter(
    ({ name, outcome, detail }) =>
      !(name === "deletes" && outcome === "failed" && detail.startsWith("confirm_delete_count")),
  );
  const outcome = (["failed", "unknown"] as const).find((each) => checks.some((check) => check.outcome === each));
  return { ...checked, checks, outcome: outcome ?? "passed" };
}
