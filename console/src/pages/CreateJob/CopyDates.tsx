import ColumnLayout from "@cloudscape-design/components/column-layout";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";

import { MomentInput } from "../../components/MomentInput";
import { useT } from "../../i18n";
import { usePreferences } from "../../preferences";
import type { CopyProps } from "./Copy";
import { StepField } from "./Field";
import { isRefused } from "./offers";

const DATES = ["modified_since_constraint", "un_modified_since_constraint"] as const;

/** Which of the listed objects are copied, by when they were last modified. */
export function CopyDates({ faults, copy, set, target, targetRegion }: CopyProps) {
  const t = useT();
  const { timeZone } = usePreferences().preferences;
  const refusal = isRefused(target, "source-dates") && t("op.refused", { region: targetRegion });
  return (
    <Container
      header={
        <Header variant="h2" description={t("op.dates-text")}>
          {t("op.dates")}
        </Header>
      }
    >
      <ColumnLayout columns={2}>
        {DATES.map((name) => (
          <StepField
            key={name}
            name={`operation.cos_put_object_copy.${name}`}
            faults={faults}
            isOptional
            constraintText={refusal || t(`op.zone.${timeZone}`)}
          >
            <MomentInput
              label={t(`field.operation.cos_put_object_copy.${name}`)}
              value={copy[name]}
              isDisabled={refusal !== false && copy[name] === ""}
              onChange={(moment) => {
                set({ [name]: moment });
              }}
            />
          </StepField>
        ))}
      </ColumnLayout>
    </Container>
  );
}
