import FormField from "@cloudscape-design/components/form-field";
import Select from "@cloudscape-design/components/select";

import { useAccounts } from "../../api/people";
import { useSession } from "../../api/queries";
import { useT } from "../../i18n";

/** Whose it is to be: shown to who runs the service, for everybody else has one account. */
export function AccountSelect({ value, onChange }: { value: string | null; onChange: (account: string) => void }) {
  const t = useT();
  const session = useSession().data;
  const accounts = useAccounts();
  if (!session?.is_service_operator) return null;
  const options = accounts.data?.map(({ name, uin }) => ({ value: name, label: name, description: uin })) ?? [];
  const chosen = value ?? session.account.name;
  return (
    <FormField label={t("users.account")} description={t("users.account.text")}>
      <Select
        selectedOption={options.find((option) => option.value === chosen) ?? { value: chosen, label: chosen }}
        options={options}
        statusType={accounts.isPending ? "loading" : accounts.isError ? "error" : "finished"}
        errorText={t("error.unknown")}
        onChange={({ detail }) => {
          if (detail.selectedOption.value) onChange(detail.selectedOption.value);
        }}
      />
    </FormField>
  );
}
