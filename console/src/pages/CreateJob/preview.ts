import type { CopyDraft, Draft, ManifestLook } from "./model";

/** What becomes of the keys that were looked at, for a live example beside the prefixes. */
export interface Example {
  /** Of the first key that the rule of prefixes lets pass. Null: none does, or there is nothing to show. */
  readonly first: { readonly from: string; readonly to: string } | null;
  /** Of the rows that were looked at. */
  readonly rows: number;
  /** Those whose key does not begin with the source prefix: their copies would fail. */
  readonly mismatches: number;
}

/** The key of a copy; null where the source's key does not begin as it has to (PrefixMismatch). */
export function targetKeyOf(key: string, copy: CopyDraft): string | null {
  if (!copy.prefix_replace) return key;
  if (!key.startsWith(copy.resources_prefix)) return null;
  return copy.target_key_prefix + key.slice(copy.resources_prefix.length);
}

export function exampleOf(draft: Draft, look: ManifestLook | undefined): Example {
  const keys = (look?.first_rows ?? []).flatMap(({ row }) => (row ? [row.key] : []));
  const isCopy = draft.operation.chosen === "cos_put_object_copy";
  const pairs = keys.map((from) => ({
    from,
    to: isCopy ? targetKeyOf(from, draft.operation.cos_put_object_copy) : from,
  }));
  const first = pairs.find((pair): pair is { from: string; to: string } => pair.to !== null) ?? null;
  return { first, rows: keys.length, mismatches: pairs.filter(({ to }) => to === null).length };
}
