import Calendar from "@cloudscape-design/components/calendar";
import DateInput from "@cloudscape-design/components/date-input";
import FormField from "@cloudscape-design/components/form-field";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";

import { useT } from "../i18n";
import { day } from "./days";

export interface DayFormProps {
  value: unknown;
  onChange: (value: string | null) => void;
}

/** What is shorter is made whole by the input itself, when it is left. */
const WHOLE = "YYYY-MM-DD".length;

/**
 * Asks for a day, for the filter: typed, or from a calendar. What is no day is said here, and told nevertheless, so that
 * the filter says so too where it is applied.
 */
export function DayForm({ value, onChange }: DayFormProps) {
  const t = useT();
  const [typed, setTyped] = useState(() => (typeof value === "string" ? value : ""));
  const set = (text: string) => {
    setTyped(text);
    onChange(text || null);
  };
  const isWrong = day(typed) === "" && typed.length >= WHOLE;
  return (
    <SpaceBetween size="xs">
      <FormField label={t("filter.day")} errorText={isWrong && t("filter.day.wrong")}>
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
        ariaLabel={t("filter.day")}
        onChange={({ detail }) => {
          set(detail.value);
        }}
      />
    </SpaceBetween>
  );
}
