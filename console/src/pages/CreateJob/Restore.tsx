import Alert from "@cloudscape-design/components/alert";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import RadioGroup from "@cloudscape-design/components/radio-group";
import SpaceBetween from "@cloudscape-design/components/space-between";

import { useT } from "../../i18n";
import { StepField } from "./Field";
import type { Change, Draft, StepProps } from "./model";

const TIERS = ["Standard", "Bulk"] as const;
type RestoreDraft = Draft["operation"]["cos_initiate_restore_object"];

/** Asks for archived objects to be made readable for some days. */
export function Restore({ draft, change, faults }: StepProps) {
  const t = useT();
  const restore = draft.operation.cos_initiate_restore_object;
  const set = (part: Change<RestoreDraft>) => {
    change({ operation: { cos_initiate_restore_object: part } });
  };
  return (
    <Container header={<Header variant="h2">{t("op.cos_initiate_restore_object")}</Header>}>
      <SpaceBetween size="l">
        <StepField
          name="operation.cos_initiate_restore_object.expiration_in_days"
          faults={faults}
          description={t("op.days-text")}
          constraintText={t("op.days-bounds")}
        >
          <Input
            type="number"
            inputMode="numeric"
            step={1}
            value={restore.expiration_in_days}
            onChange={({ detail }) => {
              set({ expiration_in_days: detail.value });
            }}
          />
        </StepField>
        <StepField name="operation.cos_initiate_restore_object.job_tier" faults={faults}>
          <RadioGroup
            value={restore.job_tier}
            items={TIERS.map((value) => ({
              value,
              label: t(`op.tier.${value}`),
              description: t(`op.tier-text.${value}`),
            }))}
            onChange={({ detail }) => {
              const tier = TIERS.find((each) => each === detail.value);
              if (tier) set({ job_tier: tier });
            }}
          />
        </StepField>
        <Alert type="info">{t("op.restore-note")}</Alert>
      </SpaceBetween>
    </Container>
  );
}
