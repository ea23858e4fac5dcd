import CollectionPreferences from "@cloudscape-design/components/collection-preferences";
import FormField from "@cloudscape-design/components/form-field";
import Select from "@cloudscape-design/components/select";
import { useEffect, useRef } from "react";

import { useT } from "../i18n";
import { DENSITIES, TIME_ZONES, type TimeZone, usePreferences } from "../preferences";
import { COLUMNS, nameOfColumn } from "./JobListColumns";
import { displayOf, PAGE_SIZES, TABLE, useListPreferences } from "./JobListPreferences";

/** How the list is shown, to be chosen. It is loaded when it is asked for, and so it is open at first. */
export function JobListPreferencesDialog({ onPageSize }: { onPageSize: () => void }) {
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    frame.current?.querySelector("button")?.click(); // the kit has no other way to open it
  }, []);
  return (
    <div ref={frame}>
      <Choices onPageSize={onPageSize} />
    </div>
  );
}

function Choices({ onPageSize }: { onPageSize: () => void }) {
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
