import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";

import { faultsTextOf } from "../../components/faults";
import { useT } from "../../i18n";
import { EXAMPLES, fieldOfFault, type RoleDraft, type TextField } from "./roleForm";

export interface FieldsProps {
  draft: RoleDraft;
  change: (part: Partial<RoleDraft>) => void;
  error: Error | null;
}

type OneLine = Exclude<TextField, "writable_buckets">;

const SECRETS: readonly TextField[] = ["secret_access_key", "session_token"];

/** One line of a role, with what is wrong with it. */
export function TextInput({ draft, change, error, name, text }: FieldsProps & { name: OneLine; text: string }) {
  const t = useT();
  return (
    <FormField
      stretch
      label={t(`roles.field.${name}`)}
      description={text}
      errorText={faultsTextOf(error, ({ path }) => fieldOfFault(path) === name)}
    >
      <Input
        value={draft[name]}
        type={SECRETS.includes(name) ? "password" : "text"}
        autoComplete={SECRETS.includes(name) ? "new-password" : false}
        spellcheck={false}
        placeholder={name === "role_arn" ? EXAMPLES[draft.provider] : ""}
        onChange={({ detail }) => {
          change({ [name]: detail.value });
        }}
      />
    </FormField>
  );
}
