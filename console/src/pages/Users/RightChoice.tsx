import FormField from "@cloudscape-design/components/form-field";
import RadioGroup from "@cloudscape-design/components/radio-group";

import type { Schemas } from "../../api/types";
import { useT } from "../../i18n";

type Right = Schemas["UserRole"];
const RIGHTS: readonly Right[] = ["viewer", "operator", "admin"];

export function RightChoice({ value, onChange }: { value: Right; onChange: (right: Right) => void }) {
  const t = useT();
  return (
    <FormField label={t("users.role")}>
      <RadioGroup
        value={value}
        items={RIGHTS.map((right) => ({
          value: right,
          label: t(`role.${right}`),
          description: t(`users.right.${right}`),
        }))}
        onChange={({ detail }) => {
          onChange(detail.value as Right);
        }}
      />
    </FormField>
  );
}
