import FormField from "@cloudscape-design/components/form-field";
import Select from "@cloudscape-design/components/select";

import { useUsers } from "../../api/people";
import { useMay } from "../../api/queries";
import { useT } from "../../i18n";

/** Whose key or token it is to be; who is no administrator makes their own only. */
export function UserSelect({ value, onChange }: { value: string; onChange: (user: string) => void }) {
  const t = useT();
  const mayChoose = useMay()("list_users");
  const users = useUsers();
  const options = users.data?.map(({ name, role }) => ({
    value: name,
    label: name,
    description: t(`role.${role}`),
  }));
  return (
    <FormField label={t("keys.user")} description={t("keys.user.text")}>
      <Select
        filteringType="auto"
        disabled={!mayChoose}
        selectedOption={{ value, label: value }}
        options={options ?? []}
        statusType={users.isFetching && !users.data ? "loading" : users.isError ? "error" : "finished"}
        errorText={t("error.unknown")}
        onChange={({ detail }) => {
          if (detail.selectedOption.value) onChange(detail.selectedOption.value);
        }}
      />
    </FormField>
  );
}
