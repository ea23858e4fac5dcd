import { describe, expect, it } from "vitest";

import { adopted, columnFaults, isMapped, kindOfName, mappingOf, otherFaults, widthOf } from "./columns";
import { lookFrom } from "./look.test-data";
import type { Draft, ManifestField, ManifestLook } from "./model";

const FIRST = { line: 1, cells: ["b", "a"], problems: [] };
const ROW = { key: "a", version_id: null, size_bytes: null, is_delete_marker: false };

function look(part: Partial<ManifestLook> = {}): ManifestLook {
  return lookFrom({ format_is_guessed: true, source_bucket: "b", first_rows: [{ ...FIRST, row: ROW }], ...part });
}

const spec = (part: Partial<Draft["manifest"]["spec"]>): Draft["manifest"]["spec"] => ({
  format: "",
  format_is_chosen: false,
  fields: [],
  key_encoding: "url",
  ...part,
});

describe("the columns of a CSV", () => {
  it("are as many as the widest row has", () => {
    const rows = [
      { line: 1, cells: ["b", "a"], row: ROW, problems: [] },
      { line: 2, cells: ["b", "a", "v"], row: null, problems: [] },
    ];
    expect(widthOf({ first_rows: rows })).toBe(3);
    expect(widthOf({ first_rows: [] })).toBe(0);
  });

  it("are ignored where nobody has mapped them, and kept where there are more", () => {
    expect(mappingOf(["Bucket"], 3)).toEqual(["Bucket", "Ignore", "Ignore"]);
    expect(mappingOf(["Bucket", "Key"], 1)).toEqual(["Bucket", "Key"]);
  });

  it.each<[ManifestField[], number[], boolean]>([
    [["Bucket", "Key"], [], true],
    [["Key", "Ignore", "Bucket", "VersionId", "Ignore"], [], true],
    [["Bucket", "Bucket"], [1], false],
    [["Bucket", "Key", "Key", "VersionId", "VersionId"], [2, 4], false],
    [["Bucket", "Ignore"], [], false],
    [["Ignore", "Key"], [], false],
    [[], [], false],
  ])("%j: wrong at %j, mapped %s", (fields, wrong, mapped) => {
    const faults = columnFaults(fields);
    expect(faults.flatMap((fault, index) => (fault ? [index] : []))).toEqual(wrong);
    expect(isMapped(fields)).toBe(mapped);
  });

  it("say which field is there twice", () => {
    expect(columnFaults(["Bucket", "Key", "Key"])).toEqual([null, null, "manifest.column.twice.Key"]);
  });
});

describe("what is taken over of a look", () => {
  it("is the format and the guess", () => {
    expect(adopted(spec({}), look())).toEqual({ format: "COSBatchOperations_CSV_V1", fields: ["Bucket", "Key"] });
  });

  it("is nothing that the user has said", () => {
    expect(adopted(spec({ format: "COSBatchOperations_CSV_V1", fields: ["Key", "Bucket"] }), look())).toBeNull();
    expect(adopted(spec({ format: "COSInventoryReport_CSV_V1" }), look())).toBeNull();
  });

  it("is what the file is, where another format was chosen before it was read", () => {
    const chosen = spec({ format: "COSInventoryReport_CSV_V1", format_is_chosen: true });
    const mapped = { format: "COSBatchOperations_CSV_V1", fields: ["Bucket", "Key"] };
    expect(adopted(chosen, look())).toEqual({ ...mapped, format_is_chosen: false });
    expect(adopted(chosen, look({ format_is_guessed: false }))).toBeNull();
    expect(adopted(chosen, look({ format: "S3InventoryReport_CSV_20161130" }))).toEqual({
      format: "S3InventoryReport_CSV_20161130",
    });
  });

  it("is no mapping for an inventory, or where none could be guessed", () => {
    const s3 = look({ format: "S3InventoryReport_CSV_20161130", guessed_fields: [] });
    expect(adopted(spec({}), s3)).toEqual({ format: "S3InventoryReport_CSV_20161130" });
    expect(adopted(spec({ format: "COSBatchOperations_CSV_V1" }), look({ guessed_fields: [] }))).toBeNull();
  });
});

describe("the name of a manifest", () => {
  it.each([
    ["inv/manifest.json", "COSInventoryReport_CSV_V1"],
    ["list.CSV", "COSBatchOperations_CSV_V1"],
    ["list.csv.gz", "COSBatchOperations_CSV_V1"],
    ["list", null],
  ])("%j speaks of %j", (key, format) => {
    expect(kindOfName(key)).toBe(format);
  });
});

describe("faults of a look", () => {
  const fault = (path: string) => ({ path, value: "", problem: "wrong", way_out: "" });

  it("stand at their row, or apart, but for that of the mapping", () => {
    const faults = [fault("list.csv:1:2"), fault("list.csv:77:1"), fault("Manifest.Spec.Fields")];
    expect(otherFaults(look({ faults })).map(({ path }) => path)).toEqual(["list.csv:77:1"]);
  });
});
