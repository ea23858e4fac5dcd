import type { ManifestLook } from "./model";

/** What the service found in a CSV list of one row, for tests; `changes` take the place of its fields. */
export function lookFrom(changes: Partial<ManifestLook> = {}): ManifestLook {
  return {
    etag: "e0",
    size_bytes: 10,
    last_modified: "2026-01-01T00:00:00Z",
    object_version_id: null,
    format: "COSBatchOperations_CSV_V1",
    format_is_guessed: false,
    is_gzip: false,
    columns: ["Bucket", "Key"],
    guessed_fields: ["Bucket", "Key"],
    source_bucket: "photos",
    first_rows: [{ line: 1, cells: ["photos", "a"], row: null, problems: [] }],
    rows_looked_at: 1,
    versions: { named: 0, null: 0, empty: 0 },
    warnings: [],
    faults: [],
    more_faults: false,
    inventory: null,
    ...changes,
  };
}
