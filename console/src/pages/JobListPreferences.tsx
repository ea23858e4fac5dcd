import CollectionPreferences from "@cloudscape-design/components/collection-preferences";
import FormField from "@cloudscape-design/components/form-field";
import Select from "@cloudscape-design/components/select";

import { useT } from "../i18n";
import { DENSITIES, TIME_ZONES, type TimeZone, usePreferences } from "../preferences";
import { type ColumnId, COLUMNS, nameOfColumn, usualColumns } from "./JobListColumns";

const TABLE = "jobs";
export const PAGE_SIZES = [20, 50, 100] as const;
const NO_WIDTHS: Readonly<Record<string, number>> = {};

interface ListPreferences {
  pageSize: number;
  /** In the order in which they are shown. */
  columns: readonly ColumnId[];
  widths: Readonly<Record<string, number>>;
  keepWidths: (widths: Readonly<Record<string, number>>) => void;
}

/** How this browser's user likes the list of jobs; a column that there is no more is forgotten. */
export function useListPreferences(): ListPreferences {
  const { preferences, prefer } = usePreferences();
  const kept = preferences.tables[TABLE];
  const columns = (kept?.visibleContent ?? []).flatMap((name) => COLUMNS.find(({ id }) => id === name)?.id ?? []);
  const pageSize = PAGE_SIZES.find((each) => each === kept?.pageSize) ?? PAGE_SIZES[0];
  const shown = columns.length > 0 ? columns : usualColumns(globalThis.innerWidth);
  return {
    pageSize,
    columns: shown,
    widths: kept?.widths ?? NO_WIDTHS,
    keepWidths: (widths) => {
      // The columns that are the usual ones of this window stay so until the user chooses others.
      const table = { pageSize, visibleContent: kept?.visibleContent ?? [], widths };
      prefer({ tables: { ...preferences.tables, [TABLE]: table } });
    },
  };
}

/** All columns for the table: first those that are shown. */
export function displayOf(columns: readonly ColumnId[]): { id: ColumnId; visible: boolean }[] {
  const hidden = COLUMNS.map(({ id }) => id).filter((id) => !columns.includes(id));
  return [...columns.map((id) => ({ id, visible: true })), ...hidden.map((id) => ({ id, visible: false }))];
}

/** `onPageSize`: the pages begin anew, as they have other ends. */
export function JobListPreferences({ onPageSize }: { onPageSize: () => void }) {
  const t = useT();
  const { preferences, prefer } = usePreferences();
  const { pageSize, columns } = useListPreferences();
  const zones = TIME_ZONES.map((value) => ({ value, label: t(`timeZone.${value}`) }));
  return (
    <CollectionPreferences
      title={t("jobs.preferences")}
      preferences={{
        pageSize,
        contentDensity: preferences.density,
        contentDisplay: displayOf(columns),
        custom: preferences.timeZone,
      }}
      pageSizePreference={{
        title: t("jobs.preferences.page-size"),
        options: PAGE_SIZES.map((value) => ({ value, label: t("jobs.preferences.jobs", { count: value }) })),
      }}
      contentDensityPreference={{
        label: t("jobs.preferences.compact"),
        description: t("jobs.preferences.compact.text"),
      }}
      contentDisplayPreference={{
        title: t("jobs.preferences.columns"),
        description: t("jobs.preferences.columns.text"),
        options: COLUMNS.map(({ id, isAlwaysShown = false }) => ({
          id,
          label: t(nameOfColumn(id)),
          alwaysVisible: isAlwaysShown,
        })),
      }}
      customPreference={(zone: TimeZone, setZone: (zone: TimeZone) => void) => (
        <FormField label={t("settings.timeZone")}>
          <Select
            selectedOption={zones.find(({ value }) => value === zone) ?? null}
            options={zones}
            onChange={({ detail }) => {
              const chosen = TIME_ZONES.find((each) => each === detail.selectedOption.value);
              if (chosen) setZone(chosen);
            }}
          />
        </FormField>
      )}
      onConfirm={({ detail }) => {
        const visibleContent = (detail.contentDisplay ?? []).flatMap((each) =>
          each.type !== "group" && each.visible ? [each.id] : [],
        );
        const size = detail.pageSize ?? pageSize;
        prefer({
          density: DENSITIES.find((each) => each === detail.contentDensity) ?? preferences.density,
          timeZone: TIME_ZONES.find((each) => each === detail.custom) ?? preferences.timeZone,
          tables: { ...preferences.tables, [TABLE]: { ...preferences.tables[TABLE], pageSize: size, visibleContent } },
        });
        if (size !== pageSize) onPageSize();
      }}
    />
  );
}
