import { expect, it } from "vitest";

import { jobFrom } from "../../api/jobs.test-data";
import type { Schemas } from "../../api/types";
import { hasSizes } from "./sizes";

type Listed = Schemas["ListedView"] | null;

function jobOf(listed: Listed | undefined, bytesDone: number) {
  const found = { source_bucket: "b", manifest_etag: "e", shared_targets: 0, listed: listed ?? null };
  const versioning = { source_versioning: "never", target_versioning: "never" } as const;
  return jobFrom({
    findings: listed === undefined ? null : { ...found, ...versioning },
    progress_summary: { ...jobFrom().progress_summary, bytes_done: bytesDone },
  });
}

const LISTED = { rows: 3, not_sent: 0, size_bytes: null, large: 0, parts: 0 };

it.each<[string, Listed | undefined, number, boolean]>([
  ["nothing has been found yet", undefined, 0, true],
  ["the plan is not complete", null, 0, true],
  ["the manifest lists no sizes", LISTED, 0, false],
  ["the manifest lists no sizes, but bytes were counted", LISTED, 4_096, true],
  ["the manifest lists sizes", { ...LISTED, size_bytes: 30 }, 0, true],
  ["all objects are empty", { ...LISTED, size_bytes: 0 }, 0, true],
])("where %s", (_, listed, bytesDone, is) => {
  expect(hasSizes(jobOf(listed, bytesDone))).toBe(is);
});
