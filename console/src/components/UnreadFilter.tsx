import StatusIndicator from "@cloudscape-design/components/status-indicator";

import { useT } from "../i18n";

/** A value of a filter that bounds nothing, for nobody can say what it means. */
export interface Unread {
  /** What the filter calls it. */
  label: string;
  value: string;
  kind: "day" | "word";
}

/** Says what of a filter was left out, beside it: nothing that was typed vanishes unsaid. */
export function UnreadFilter({ of }: { of: readonly Unread[] }) {
  const t = useT();
  return of.map(({ label, value, kind }) => (
    <div key={label}>
      <StatusIndicator type="warning">{t(`filter.unread.${kind}`, { label, value })}</StatusIndicator>
    </div>
  ));
}
