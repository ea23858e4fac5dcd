import Select, { type SelectProps } from "@cloudscape-design/components/select";

import { useRoles } from "../api/stores";
import { useT } from "../i18n";
import { roleName } from "./roleNames";

const FILTER_FROM = 8;

interface RoleSelectProps {
  value: string;
  onChange: (arn: string) => void;
  /** Offers to take no role: then the region's own credentials are used. */
  isOptional?: boolean;
  ariaLabel?: string;
}

/** One of the roles that jobs of the account may name. */
export function RoleSelect({ value, onChange, isOptional = false, ariaLabel }: RoleSelectProps) {
  const t = useT();
  const roles = useRoles();
  const options: SelectProps.Option[] = [
    ...(isOptional ? [{ value: "", label: t("role-select.none"), description: t("role-select.none-text") }] : []),
    ...(roles.data ?? []).map(({ role_arn: arn, description }) => ({
      value: arn,
      label: roleName(arn),
      description: arn,
      ...(description ? { tags: [description] } : {}),
    })),
  ];
  const known = options.find((option) => option.value === value);
  const unknown = value ? { value, label: roleName(value), description: value } : null;
  return (
    <Select
      selectedOption={known ?? unknown}
      options={options}
      placeholder={t("role-select.choose")}
      {...(ariaLabel ? { ariaLabel } : {})}
      filteringType={options.length > FILTER_FROM ? "auto" : "none"}
      filteringAriaLabel={t("role-select.filter")}
      empty={t("role-select.empty")}
      statusType={roles.isPending ? "loading" : roles.isError && !roles.data ? "error" : "finished"}
      loadingText={t("shell.loading")}
      errorText={t("role-select.failed")}
      recoveryText={t("error.retry")}
      onLoadItems={() => {
        if (roles.isError) void roles.refetch();
      }}
      onChange={({ detail }) => {
        onChange(detail.selectedOption.value ?? "");
      }}
    />
  );
}
