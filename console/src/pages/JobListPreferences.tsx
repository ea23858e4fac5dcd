import Button from "@cloudscape-design/components/button";
import { useState } from "react";

import { useFlashes } from "../components/flashes";
import { usePart } from "../components/part";
import { useT } from "../i18n";
import { type Preferences, usePreferences } from "../preferences";
import { type ColumnId, COLUMNS, usualColumns } from "./JobListColumns";
import type { Widths } from "./jobListWidths";

export const TABLE = "jobs";
export const PAGE_SIZES = [20, 50, 100] as const;
const NO_WIDTHS: Widths = {};

interface ListPreferences {
  pageSize: number;
  /** In the order in which they are shown. */
  columns: readonly ColumnId[];
  /** Of the columns that the user drew. */
  drawn: Widths;
  keepDrawn: (more: Widths) => void;
}

/** How this browser's user likes the list of jobs; a column that there is no more is forgotten. */
export function useListPreferences(): ListPreferences {
  const { preferences, prefer } = usePreferences();
  const kept = preferences.tables[TABLE];
  const columns = (kept?.visibleContent ?? []).flatMap((name) => COLUMNS.find(({ id }) => id === name)?.id ?? []);
  const pageSize = pageSizeIn(preferences);
  const shown = columns.length > 0 ? columns : usualColumns(globalThis.innerWidth);
  return {
    pageSize,
    columns: shown,
    drawn: kept?.drawn ?? NO_WIDTHS,
    keepDrawn: (more) => {
      // The columns that are the usual ones of this window stay so until the user chooses others.
      const table = { pageSize, visibleContent: kept?.visibleContent ?? [], drawn: { ...kept?.drawn, ...more } };
      prefer({ tables: { ...preferences.tables, [TABLE]: table } });
    },
  };
}

export function pageSizeIn({ tables }: Preferences): number {
  return PAGE_SIZES.find((each) => each === tables[TABLE]?.pageSize) ?? PAGE_SIZES[0];
}

/** All columns for the table: first those that are shown. */
export function displayOf(columns: readonly ColumnId[]): { id: ColumnId; visible: boolean }[] {
  const hidden = COLUMNS.map(({ id }) => id).filter((id) => !columns.includes(id));
  return [...columns.map((id) => ({ id, visible: true })), ...hidden.map((id) => ({ id, visible: false }))];
}

const loadDialog = async () => (await import("./JobListPreferencesDialog")).JobListPreferencesDialog;

/** `onPageSize`: the pages begin anew, as they have other ends. */
export function JobListPreferences({ onPageSize }: { onPageSize: () => void }) {
  const t = useT();
  const { flash } = useFlashes();
  const { Part, ask } = usePart(loadDialog);
  const [isAsked, setAsked] = useState(false);
  if (Part) return <Part onPageSize={onPageSize} />;
  return (
    <Button
      variant="icon"
      iconName="settings"
      ariaLabel={t("jobs.preferences")}
      loading={isAsked}
      onClick={() => {
        setAsked(true);
        ask().catch(() => {
          setAsked(false);
          flash({ type: "error", content: ({ t }) => t("error.part"), id: "part" });
        });
      }}
    />
  );
}
