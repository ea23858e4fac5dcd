import DatePicker from "@cloudscape-design/components/date-picker";
import SpaceBetween from "@cloudscape-design/components/space-between";
import TimeInput from "@cloudscape-design/components/time-input";
import { useState } from "react";

import { useT } from "../i18n";
import { usePreferences } from "../preferences";
import { readMoment, type TypedMoment, writeMoment } from "./moments";

/** As the inputs want them in every language. */
const DATE = "YYYY-MM-DD";
const TIME = "hh:mm:ss";

interface MomentInputProps {
  /** What the date is of: the two inputs are named after it. */
  label: string;
  /** ISO 8601; empty for none. What is typed is told in UTC, unfinished without a zone. Read once. */
  value: string;
  onChange: (moment: string) => void;
  isDisabled?: boolean;
}

/** A date and a time in the chosen time zone. */
export function MomentInput({ label, value, onChange, isDisabled = false }: MomentInputProps) {
  const t = useT();
  const { timeZone } = usePreferences().preferences;
  const [typed, setTyped] = useState(() => readMoment(value, timeZone));
  const type = (part: Partial<TypedMoment>) => {
    const next = { ...typed, ...part };
    setTyped(next);
    onChange(writeMoment(next, timeZone));
  };
  return (
    <SpaceBetween direction="horizontal" size="xs">
      <DatePicker
        value={typed.date}
        disabled={isDisabled}
        placeholder={DATE}
        format="iso"
        inputFormat="iso"
        ariaLabel={t("moment.date", { label })}
        onChange={({ detail }) => {
          type({ date: detail.value });
        }}
      />
      <TimeInput
        value={typed.time}
        disabled={isDisabled}
        placeholder={TIME}
        ariaLabel={t("moment.time", { label })}
        onChange={({ detail }) => {
          type({ time: detail.value });
        }}
      />
    </SpaceBetween>
  );
}
