import Calendar from "@cloudscape-design/components/calendar";
import DateInput from "@cloudscape-design/components/date-input";
import FormField from "@cloudscape-design/components/form-field";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";

import { useT } from "../i18n";
import { day } from "./jobListView";

export interface DayFormProps {
  value: unknown;
  onChange: (value: string | null) => void;
}

/** Asks for a day, for the filter: typed, or from a calendar. */
export function DayForm({ value, onChange }: DayFormProps) {
  const t = useT();
  const [typed, setTyped] = useState(() => (typeof value === "string" ? value : ""));
  const set = (text: string) => {
    setTyped(text);
    onChange(day(text) || null);
  };
  return (
    <SpaceBetween size="xs">
      <FormField label={t("jobs.filter.day")}>
        <DateInput
          value={typed}
          format="iso"
          onChange={({ detail }) => {
            set(detail.value);
          }}
        />
      </FormField>
      <Calendar
        value={day(typed)}
        ariaLabel={t("jobs.filter.day")}
        onChange={({ detail }) => {
          set(detail.value);
        }}
      />
    </SpaceBetween>
  );
}
