import AttributeEditor from "@cloudscape-design/components/attribute-editor";
import Input from "@cloudscape-design/components/input";
import Select from "@cloudscape-design/components/select";
import type { ReactNode } from "react";

import type { Schemas } from "../api/types";
import { useT } from "../i18n";

export interface Grant {
  /** A CAM principal in COS, a canonical user id elsewhere. */
  readonly identifier: string;
  readonly permission: Schemas["Permission"];
}

/** WRITE has no meaning for an object, and the service refuses it. */
const PERMISSIONS = ["READ", "FULL_CONTROL"] as const;
const GRANTS_MAX = 100;
const EXAMPLE = "qcs::cam::uin/100000000001:uin/100000000002";

interface GrantsEditorProps {
  grants: readonly Grant[];
  onChange: (grants: Grant[]) => void;
  faultOf?: (index: number, field: "identifier" | "permission") => ReactNode;
}

/** Who may do what with the copies: one row for each grantee and permission. */
export function GrantsEditor({ grants, onChange, faultOf }: GrantsEditorProps) {
  const t = useT();
  const change = (index: number, part: Partial<Grant>) => {
    onChange(grants.map((grant, at) => (at === index ? { ...grant, ...part } : grant)));
  };
  const options = PERMISSIONS.map((value) => ({ value, label: t(`grants.${value}`), description: value }));
  return (
    <AttributeEditor<Grant>
      items={grants}
      definition={[
        {
          label: t("grants.grantee"),
          constraintText: t("grants.grantee-text"),
          control: ({ identifier }, index) => (
            <Input
              value={identifier}
              placeholder={EXAMPLE}
              spellcheck={false}
              onChange={({ detail }) => {
                change(index, { identifier: detail.value.trim() });
              }}
            />
          ),
          errorText: (_, index) => faultOf?.(index, "identifier"),
        },
        {
          label: t("grants.permission"),
          control: ({ permission }, index) => (
            <Select
              selectedOption={options.find(({ value }) => value === permission) ?? { value: permission }}
              options={options}
              onChange={({ detail }) => {
                const chosen = PERMISSIONS.find((each) => each === detail.selectedOption.value);
                if (chosen) change(index, { permission: chosen });
              }}
            />
          ),
          errorText: (_, index) => faultOf?.(index, "permission"),
        },
      ]}
      addButtonText={t("grants.add")}
      removeButtonText={t("pairs.remove")}
      removeButtonAriaLabel={({ identifier }) => t("pairs.remove-one", { key: identifier })}
      empty={t("grants.none")}
      disableAddButton={grants.length >= GRANTS_MAX}
      i18nStrings={{ itemRemovedAriaLive: t("pairs.removed") }}
      onAddButtonClick={() => {
        onChange([...grants, { identifier: "", permission: "READ" }]);
      }}
      onRemoveButtonClick={({ detail }) => {
        onChange(grants.filter((_, at) => at !== detail.itemIndex));
      }}
    />
  );
}
