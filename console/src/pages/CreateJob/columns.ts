import type { TextKey } from "../../i18n";
import type { Change, Draft, ManifestField, ManifestFormat, ManifestLook } from "./model";

export const CSV: ManifestFormat = "COSBatchOperations_CSV_V1";
export const INVENTORY: ManifestFormat = "COSInventoryReport_CSV_V1";
type Spec = Draft["manifest"]["spec"];

/** Of the rows that are shown: what there is to map, though single rows may have more or fewer cells. */
export function widthOf(look: Pick<ManifestLook, "first_rows">): number {
  return Math.max(0, ...look.first_rows.map(({ cells }) => cells.length));
}

/** A field for each column there is: those that nobody has mapped are ignored. */
export function mappingOf(fields: readonly ManifestField[], width: number): ManifestField[] {
  return Array.from({ length: Math.max(width, fields.length) }, (_, index) => fields[index] ?? "Ignore");
}

/** What is wrong with each column's field: another column before it has the same. */
export function columnFaults(fields: readonly ManifestField[]): (TextKey | null)[] {
  return fields.map((field, index): TextKey | null =>
    field !== "Ignore" && fields.indexOf(field) < index ? `manifest.column.twice.${field}` : null,
  );
}

/** Whether the columns say what a job needs: one bucket, one key, at most one version. */
export function isMapped(fields: readonly ManifestField[]): boolean {
  return fields.includes("Bucket") && fields.includes("Key") && columnFaults(fields).every((fault) => fault === null);
}

/** What stands in place of what was read of another file: a format that was chosen stays chosen. */
export function unread({ format, format_is_chosen: isChosen }: Spec): Change<Spec> {
  return { format: isChosen ? format : "", fields: [] };
}

/**
 * What the draft takes over of the first look at a manifest: its format, and the columns as they were guessed. A choice
 * that was made before the file was read gives way to what the file is.
 */
export function adopted(spec: Spec, look: ManifestLook): Change<Spec> | null {
  const givesWay = spec.format === "" || (spec.format_is_chosen && look.format_is_guessed);
  const format = givesWay ? look.format : spec.format;
  const isRefuted = spec.format_is_chosen && (format === CSV) !== (spec.format === CSV);
  const takesGuess = format === CSV && spec.fields.length === 0 && look.guessed_fields.length > 0;
  if (format === spec.format && !takesGuess) return null;
  return {
    format,
    ...(isRefuted ? { format_is_chosen: false } : {}),
    ...(takesGuess ? { fields: look.guessed_fields } : {}),
  };
}

/** Which of the two kinds of manifest a name speaks of; null where it does not tell. */
export function kindOfName(key: string): ManifestFormat | null {
  const name = key.toLowerCase();
  if (name.endsWith(".json")) return INVENTORY;
  return name.endsWith(".csv") || name.endsWith(".csv.gz") ? CSV : null;
}

const LINE_AND_COLUMN = /:(\d+):\d+$/;

/** That the columns are not mapped yet, which the step says of itself. */
const OF_MAPPING = "Manifest.Spec.Fields";

/** Faults that stand at none of the rows that are shown. */
export function otherFaults({ faults, first_rows: rows }: Pick<ManifestLook, "faults" | "first_rows">) {
  const shown = new Set(rows.map(({ line }) => line));
  return faults.filter(({ path }) => {
    const place = LINE_AND_COLUMN.exec(path);
    if (path === OF_MAPPING) return false;
    return !place || !shown.has(Number(place[1]));
  });
}
