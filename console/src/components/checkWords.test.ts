import { describe, expect, it } from "vitest";

import { checkWordsOf } from "./checkWords";

describe("what a check found", () => {
  it.each([
    [
      "control-125/manifests/a b.csv can be read and has the ETag 6e18",
      "check.found.manifest",
      { file: "control-125/manifests/a b.csv", etag: "6e18" },
    ],
    [
      "the list of what failed in job 01a2 with NoSuchKey can be read: the service has kept it",
      "check.found.retry-code",
      { job: "01a2", code: "NoSuchKey" },
    ],
    ["27% of the work area is free", "check.found.room", { share: "27%" }],
    [
      "tagging-copy: a seaweedfs store does not do it by itself; it is emulated at the cost of 2 more requests for each object: get_tagging, put_tagging",
      "check.found.option-emulated",
      { option: "tagging-copy", store: "seaweedfs", count: "2", kinds: "get_tagging, put_tagging" },
    ],
    ["photos-125 is there", "check.found.bucket", { bucket: "photos-125" }],
    ["photos-125 is in ap-guangzhou", "check.found.region", { bucket: "photos-125", region: "ap-guangzhou" }],
    ["5 of 5 sampled objects of the first rows are there", "check.found.rows", { there: "5", count: "5" }],
    ["an upload of b/2025/a b.jpg was begun and aborted", "check.found.upload", { key: "b/2025/a b.jpg" }],
  ])("says %s in the user's language", (detail, key, values) => {
    expect(checkWordsOf(detail)).toEqual({ key, values });
  });

  it("leaves to the service what it says in no known form", () => {
    expect(checkWordsOf("the store is being moved")).toBeNull();
  });
});
