import FormField from "@cloudscape-design/components/form-field";
import Textarea from "@cloudscape-design/components/textarea";

import { useT } from "../i18n";
import { byteLength, REASON_MAX_BYTES } from "./jobActions";

interface ReasonFieldProps {
  value: string;
  onChange: (reason: string) => void;
}

/** Why something is asked of jobs, for whoever looks at them later. */
export function ReasonField({ value, onChange }: ReasonFieldProps) {
  const t = useT();
  const bytes = byteLength(value);
  return (
    <FormField
      label={t("action.reason")}
      description={t("action.reason.hint")}
      constraintText={t("action.reason.bytes", { bytes, max: REASON_MAX_BYTES })}
      errorText={bytes > REASON_MAX_BYTES && t("action.reason.long", { max: REASON_MAX_BYTES })}
    >
      <Textarea
        value={value}
        rows={2}
        onChange={({ detail }) => {
          onChange(detail.value);
        }}
      />
    </FormField>
  );
}
