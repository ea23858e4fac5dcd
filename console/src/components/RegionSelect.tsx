import Select, { type SelectProps } from "@cloudscape-design/components/select";

import { useCapabilities } from "../api/queries";
import { useT } from "../i18n";

const FILTER_FROM = 8;

interface RegionSelectProps {
  /** Empty: none is chosen yet, or the one that `emptyLabel` tells. */
  value: string;
  onChange: (region: string) => void;
  /** Offers, as the first choice, to name no region; says what that means. */
  emptyLabel?: string;
  ariaLabel?: string;
}

/** One of the regions that jobs may name. */
export function RegionSelect({ value, onChange, emptyLabel, ariaLabel }: RegionSelectProps) {
  const t = useT();
  const capabilities = useCapabilities();
  const regions = capabilities.data?.regions ?? [];
  const options: SelectProps.Option[] = [
    ...(emptyLabel ? [{ value: "", label: emptyLabel }] : []),
    ...regions.map(({ name, provider }) => ({
      value: name,
      label: name,
      description: t(`region-select.${provider}`),
    })),
  ];
  const known = options.find((option) => option.value === value);
  return (
    <Select
      selectedOption={known ?? (value ? { value, label: value } : null)}
      options={options}
      placeholder={t("region-select.choose")}
      {...(ariaLabel ? { ariaLabel } : {})}
      filteringType={options.length > FILTER_FROM ? "auto" : "none"}
      filteringAriaLabel={t("region-select.filter")}
      empty={t("region-select.empty")}
      statusType={capabilities.isPending ? "loading" : capabilities.data ? "finished" : "error"}
      loadingText={t("shell.loading")}
      errorText={t("region-select.failed")}
      recoveryText={t("error.retry")}
      onLoadItems={() => {
        if (capabilities.isError) void capabilities.refetch();
      }}
      onChange={({ detail }) => {
        onChange(detail.selectedOption.value ?? "");
      }}
    />
  );
}
