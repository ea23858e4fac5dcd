import Autosuggest from "@cloudscape-design/components/autosuggest";
import ColumnLayout from "@cloudscape-design/components/column-layout";
import RadioGroup from "@cloudscape-design/components/radio-group";
import Select from "@cloudscape-design/components/select";

import { useSpeech, useT } from "../../i18n";
import { classesOf } from "./classes";
import type { CopyProps } from "./Copy";
import { StepField } from "./Field";
import { isRefused } from "./offers";

/** How copies are kept: their class, and whether they are encrypted. */
export function CopyStorage(props: CopyProps) {
  return (
    <ColumnLayout columns={2}>
      <StorageClass {...props} />
      <Encryption {...props} />
    </ColumnLayout>
  );
}

function StorageClass({ faults, copy, set, target, targetRegion }: CopyProps) {
  const { t, has } = useSpeech();
  const { names, isOpen } = classesOf(target);
  const unavailable = isRefused(target, "storage-class") && t("op.refused", { region: targetRegion });
  const options = names.map((name) => {
    const key = `op.class.${name}`;
    return { value: name, label: name, ...(has(key) ? { description: t(key) } : {}) };
  });
  const none = { value: "", label: t("op.class-none") };
  const choice = options.find(({ value }) => value === copy.storage_class);
  const unknown = copy.storage_class ? { value: copy.storage_class, label: copy.storage_class } : none;
  return (
    <StepField
      name="operation.cos_put_object_copy.storage_class"
      faults={faults}
      description={t("op.class-text")}
      constraintText={unavailable}
    >
      {isOpen ? (
        <Autosuggest
          value={copy.storage_class}
          options={options}
          placeholder={t("op.class-none")}
          disabled={unavailable !== false}
          enteredTextLabel={(text) => t("bucket-select.use", { text })}
          clearAriaLabel={t("bucket-select.clear")}
          onChange={({ detail }) => {
            set({ storage_class: detail.value.trim() });
          }}
        />
      ) : (
        <Select
          selectedOption={choice ?? unknown}
          options={[none, ...options]}
          disabled={unavailable !== false}
          onChange={({ detail }) => {
            set({ storage_class: detail.selectedOption.value ?? "" });
          }}
        />
      )}
    </StepField>
  );
}

function Encryption({ faults, copy, set, target, targetRegion }: CopyProps) {
  const t = useT();
  const isUnavailable = isRefused(target, "sse-aes256");
  const own = t(`op.encryption.${target?.provider ?? "s3"}`);
  return (
    <StepField name="operation.cos_put_object_copy.new_object_metadata.sse_algorithm" faults={faults}>
      <RadioGroup
        value={copy.new_object_metadata.sse_algorithm}
        items={[
          { value: "", label: t("op.encryption.none"), description: t("op.encryption-text.none") },
          {
            value: "AES256",
            label: own,
            description: isUnavailable ? t("op.refused", { region: targetRegion }) : t("op.encryption-text.own"),
            disabled: isUnavailable && copy.new_object_metadata.sse_algorithm === "",
          },
        ]}
        onChange={({ detail }) => {
          set({ new_object_metadata: { sse_algorithm: detail.value === "AES256" ? "AES256" : "" } });
        }}
      />
    </StepField>
  );
}
