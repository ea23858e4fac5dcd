import Box from "@cloudscape-design/components/box";
import ColumnLayout from "@cloudscape-design/components/column-layout";
import FormField from "@cloudscape-design/components/form-field";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";

import { faultsTextOf } from "../../components/faults";
import { useT } from "../../i18n";
import { type Option, OPTIONS, overridden, type Overrides, type Profile, supportsOf } from "./overrides";

interface OverridesEditorProps {
  overrides: Overrides;
  /** What holds where nothing is chosen; undefined: not known. */
  profile: Profile | undefined;
  error: Error | null;
  onChange: (overrides: Overrides) => void;
}

/** What a store does otherwise than its profile says: a choice for each option, which is left alone mostly. */
export function OverridesEditor({ overrides, profile, error, onChange }: OverridesEditorProps) {
  const t = useT();
  return (
    <SpaceBetween size="m">
      <Box color="text-body-secondary" fontSize="body-s">
        {t("regions.overrides.text")}
      </Box>
      <ColumnLayout columns={2}>
        {OPTIONS.map((option) => (
          <FormField
            key={option}
            label={t(`regions.option.${option}`)}
            description={<span className="mono">{option}</span>}
            errorText={faultsTextOf(error, ({ path }) => isOf(path, option))}
          >
            <OverrideSelect option={option} overrides={overrides} profile={profile} onChange={onChange} />
          </FormField>
        ))}
      </ColumnLayout>
    </SpaceBetween>
  );
}

/** Whether a fault stands beside an option. */
export function isOf(path: string, option: Option): boolean {
  return path === `profile_overrides.${option}` || path.startsWith(`profile_overrides.${option}.`);
}

const AS_PROFILE = "";

function OverrideSelect({
  option,
  overrides,
  profile,
  onChange,
}: Omit<OverridesEditorProps, "error"> & { option: Option }) {
  const t = useT();
  const said = overrides[option];
  const own = profile?.options[option];
  const supports = supportsOf(option, said);
  const options = [
    {
      value: AS_PROFILE,
      label: own ? t("regions.as-profile.known", { support: t(`regions.support.${own}`) }) : t("regions.as-profile"),
    },
    ...supports.map((support) => ({
      value: support,
      label: t(`regions.support.${support}`),
      description: t(`regions.support.${support}.text`),
    })),
  ];
  return (
    <Select
      options={options}
      selectedOption={options.find(({ value }) => value === (said ?? AS_PROFILE)) ?? null}
      onChange={({ detail }) => {
        const chosen = supports.find((support) => support === detail.selectedOption.value);
        onChange(overridden(overrides, option, chosen));
      }}
    />
  );
}
