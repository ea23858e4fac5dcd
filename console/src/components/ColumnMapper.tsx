import FormField from "@cloudscape-design/components/form-field";
import Select from "@cloudscape-design/components/select";

import type { Schemas } from "../api/types";
import { useT } from "../i18n";

type ManifestField = Schemas["ManifestField"];
const FIELDS = ["Ignore", "Bucket", "Key", "VersionId"] as const satisfies readonly ManifestField[];

interface ColumnMapperProps {
  /** From 1, as people count. */
  column: number;
  field: ManifestField;
  onChange: (field: ManifestField) => void;
  errorText?: string | undefined;
}

/** Says what a column of a CSV manifest holds; stands above the column. */
export function ColumnMapper({ column, field, onChange, errorText }: ColumnMapperProps) {
  const t = useT();
  const options = FIELDS.map((value) => ({ value, label: t(`manifest.column.${value}`) }));
  return (
    <div className="column-mapper">
      <FormField errorText={errorText}>
        <Select
          ariaLabel={t("manifest.column", { column })}
          selectedOption={options.find(({ value }) => value === field) ?? null}
          options={options}
          expandToViewport
          onChange={({ detail }) => {
            const chosen = FIELDS.find((each) => each === detail.selectedOption.value);
            if (chosen) onChange(chosen);
          }}
        />
      </FormField>
    </div>
  );
}
