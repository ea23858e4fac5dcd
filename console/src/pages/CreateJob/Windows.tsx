import Autosuggest from "@cloudscape-design/components/autosuggest";
import Button from "@cloudscape-design/components/button";
import Grid from "@cloudscape-design/components/grid";
import Multiselect from "@cloudscape-design/components/multiselect";
import SpaceBetween from "@cloudscape-design/components/space-between";
import TimeInput from "@cloudscape-design/components/time-input";
import { useMemo } from "react";

import { useSpeech, useT } from "../../i18n";
import { StepField } from "./Field";
import { type Day, DAYS, type StepProps, type WindowDraft } from "./model";

/** A Monday, so that each day has a date to be named by. */
const MONDAY_MS = Date.UTC(2024, 0, 1);
const DAY_MS = 86_400_000;
const COLUMNS = [
  { colspan: { default: 12, xs: 4 } },
  { colspan: { default: 6, xs: 2 } },
  { colspan: { default: 6, xs: 2 } },
  { colspan: { default: 9, xs: 3 } },
  { colspan: { default: 3, xs: 1 } },
] as const;

/** The hours in which a job may work; without any it works at once and always. */
export function Windows({ draft, change, faults, capabilities }: StepProps) {
  const t = useT();
  const replace = (index: number, window: WindowDraft) => {
    change({ windows: draft.windows.map((each, at) => (at === index ? window : each)) });
  };
  return (
    <StepField name="windows" faults={faults} isOptional description={t("other.windows.text")} stretch>
      <SpaceBetween size="s">
        {draft.windows.map((window, index) => (
          <WindowRow
            key={index}
            window={window}
            number={index + 1}
            onChange={(after) => {
              replace(index, after);
            }}
            onRemove={() => {
              change({ windows: draft.windows.filter((_, at) => at !== index) });
            }}
          />
        ))}
        <Button
          iconName="add-plus"
          disabled={draft.windows.length >= capabilities.limits.windows_max}
          onClick={() => {
            change({ windows: [...draft.windows, { days: DAYS, begin: "22:00", end: "06:00", zone: ownZone() }] });
          }}
        >
          {t("other.windows.add")}
        </Button>
      </SpaceBetween>
    </StepField>
  );
}

interface WindowRowProps {
  window: WindowDraft;
  number: number;
  onChange: (window: WindowDraft) => void;
  onRemove: () => void;
}

function WindowRow({ window, number, onChange, onRemove }: WindowRowProps) {
  const t = useT();
  const days = useDayOptions();
  const zones = useMemo(() => Intl.supportedValuesOf("timeZone").map((value) => ({ value })), []);
  const isDaily = window.days.length === DAYS.length;
  return (
    <Grid gridDefinition={[...COLUMNS]}>
      <Multiselect
        selectedOptions={days.filter(({ value }) => window.days.includes(value))}
        options={days}
        hideTokens
        inlineTokens={!isDaily}
        placeholder={isDaily ? t("other.windows.daily") : t("other.windows.days")}
        ariaLabel={t("other.windows.days.of", { number })}
        onChange={({ detail }) => {
          const chosen = detail.selectedOptions.map(({ value }) => value);
          onChange({ ...window, days: DAYS.filter((day) => chosen.includes(day)) });
        }}
      />
      {(["begin", "end"] as const).map((name) => (
        <TimeInput
          key={name}
          value={window[name]}
          format="hh:mm"
          use24Hour
          placeholder={t("other.windows.clock")}
          ariaLabel={t(`other.windows.${name}`, { number })}
          onChange={({ detail }) => {
            onChange({ ...window, [name]: detail.value });
          }}
        />
      ))}
      <Autosuggest
        value={window.zone}
        options={zones}
        enteredTextLabel={(text) => text}
        ariaLabel={t("other.windows.zone", { number })}
        empty={t("other.windows.zone.none")}
        onChange={({ detail }) => {
          onChange({ ...window, zone: detail.value });
        }}
      />
      <Button variant="icon" iconName="remove" ariaLabel={t("other.windows.remove", { number })} onClick={onRemove} />
    </Grid>
  );
}

function useDayOptions(): { value: Day; label: string }[] {
  const { language } = useSpeech();
  return useMemo(() => {
    const name = new Intl.DateTimeFormat(language, { weekday: "short", timeZone: "UTC" });
    return DAYS.map((value, index) => ({ value, label: name.format(MONDAY_MS + index * DAY_MS) }));
  }, [language]);
}

function ownZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || "Asia/Shanghai";
}
