import ColumnLayout from "@cloudscape-design/components/column-layout";
import Input from "@cloudscape-design/components/input";
import RadioGroup from "@cloudscape-design/components/radio-group";
import SpaceBetween from "@cloudscape-design/components/space-between";

import { useT } from "../../i18n";
import { StepField } from "./Field";
import type { StepProps } from "./model";
import { Windows } from "./Windows";

/** What most jobs leave as it is: when a job gives up, what is read back, how large objects go, when it may work. */
export function Limits(props: StepProps) {
  const t = useT();
  const { draft, change, faults } = props;
  const isCopy = draft.operation.chosen === "cos_put_object_copy";
  return (
    <SpaceBetween size="l">
      <Threshold {...props} />
      {isCopy && (
        <SpaceBetween size="l">
          <StepField name="verify" faults={faults} description={t("other.verify.text")}>
            <RadioGroup
              value={draft.verify}
              items={[
                { value: "sample", label: t("other.verify.sample") },
                { value: "all", label: t("other.verify.all"), description: t("other.verify.all.text") },
              ]}
              onChange={({ detail }) => {
                change({ verify: detail.value === "all" ? "all" : "sample" });
              }}
            />
          </StepField>
          <ColumnLayout columns={2}>
            {(["part_copy_above_bytes", "part_size_bytes"] as const).map((name) => (
              <StepField key={name} name={name} faults={faults} constraintText={t(`other.${name}.text`)}>
                <Input
                  value={draft[name]}
                  type="number"
                  inputMode="decimal"
                  onChange={({ detail }) => {
                    change({ [name]: detail.value });
                  }}
                />
              </StepField>
            ))}
          </ColumnLayout>
        </SpaceBetween>
      )}
      <Windows {...props} />
    </SpaceBetween>
  );
}

function Threshold({ draft, change, faults }: StepProps) {
  const t = useT();
  const { never, percent } = draft.failure_threshold;
  return (
    <StepField name="failure_threshold" faults={faults} description={t("other.threshold.text")}>
      <SpaceBetween size="xs">
        <RadioGroup
          value={never ? "never" : "share"}
          items={[
            { value: "share", label: t("other.threshold.share") },
            { value: "never", label: t("other.threshold.never") },
          ]}
          onChange={({ detail }) => {
            change({ failure_threshold: { never: detail.value === "never" } });
          }}
        />
        {!never && (
          <Input
            value={percent}
            type="number"
            inputMode="decimal"
            ariaLabel={t("other.threshold.percent")}
            onChange={({ detail }) => {
              change({ failure_threshold: { percent: detail.value } });
            }}
          />
        )}
      </SpaceBetween>
    </StepField>
  );
}
