export const TABS = ["overview", "failures", "report", "configuration", "checks", "events"] as const;
export type TabId = (typeof TABS)[number];

/** The tab that an address names, `#failures` or `?tab=failures`; the first one where it names none. */
export function tabOf({ hash, search }: { hash: string; search: string }): TabId {
  const named = hash.replace(/^#/, "") || new URLSearchParams(search).get("tab");
  return TABS.find((each) => each === named) ?? "overview";
}
