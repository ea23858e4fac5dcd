import type { CopyDraft } from "./model";

type Rule = Pick<CopyDraft, "prefix_replace" | "resources_prefix" | "target_key_prefix">;

/**
 * Whether a job inside of one bucket might read under a key what it has written there: of listed keys that others may
 * become, and that become others themselves. The service looks at all rows and refuses such a job (OverlappingPrefix);
 * this looks at those that are shown.
 */
export function overlaps(
  keys: readonly string[],
  { prefix_replace, resources_prefix: from, target_key_prefix: to }: Rule,
) {
  if (!prefix_replace || from === to) return false;
  if (to.startsWith(from)) return keys.some((key) => key.startsWith(to));
  if (!from.startsWith(to)) return false;
  return keys.some((key) => key.startsWith(from) && (to + key.slice(from.length)).startsWith(from));
}
