import { describe, expect, it } from "vitest";

import type { Region } from "../../api/types";
import { draftOf, EMPTY, faultyNumbers, formOf } from "./regionForm";

const REGION: Region = {
  name: "archive",
  provider: "s3",
  profile: "ceph",
  storage_classes: ["STANDARD", "COLD"],
  has_credentials: true,
  is_declared: false,
  created_at: null,
  changed_at: null,
  connection: {
    endpoint: "https://store.example:8443",
    addressing: "virtual-host",
    signing_region: "default",
    profile_overrides: { "sse-aes256": "applied", grants: "refused" },
    ca_file: null,
    requests_per_second: 250.5,
    bytes_per_second: 5e8,
    max_connections: 64,
  },
};

describe("the form of a region", () => {
  it("gives back what it was filled with", () => {
    expect(formOf(draftOf(REGION))).toEqual({
      name: "archive",
      provider: "s3",
      profile: "ceph",
      profile_overrides: { "sse-aes256": "applied", grants: "refused" },
      storage_classes: ["STANDARD", "COLD"],
      endpoint: "https://store.example:8443",
      addressing: "virtual-host",
      signing_region: "default",
      requests_per_second: 250.5,
      bytes_per_second: 5e8,
      max_connections: 64,
    });
  });

  it("leaves to the service what is empty", () => {
    expect(formOf({ ...EMPTY, name: " a ", requests_per_second: " " })).toMatchObject({
      name: "a",
      endpoint: null,
      profile: null,
      profile_overrides: {},
      storage_classes: [],
      requests_per_second: null,
      max_connections: null,
    });
  });

  it.each([
    ["", []],
    ["10", []],
    ["0.5", []],
    ["0", ["requests_per_second"]],
    ["many", ["requests_per_second"]],
    ["-1", ["requests_per_second"]],
  ])("knows whether %j is a number", (text, faulty) => {
    expect(faultyNumbers({ ...EMPTY, requests_per_second: text })).toEqual(faulty);
  });

  it("asks for a number of bytes too", () => {
    expect(faultyNumbers({ ...EMPTY, bytes_per_second: "100 MB" })).toEqual(["bytes_per_second"]);
  });
});
