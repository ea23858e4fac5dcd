import Alert from "@cloudscape-design/components/alert";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import RadioGroup from "@cloudscape-design/components/radio-group";
import SpaceBetween from "@cloudscape-design/components/space-between";

import { TagsEditor } from "../../components/TagsEditor";
import { useT } from "../../i18n";
import { listFaults, pairFaults } from "./faultPlaces";
import { StepField, useSay } from "./Field";
import type { Change, Draft, StepProps } from "./model";

const CHANGES = ["Replaced", "Add", "Delete"] as const;
const TAGS = "operation.cos_put_object_tagging.tag_set";
type TaggingDraft = Draft["operation"]["cos_put_object_tagging"];

/** Sets, adds or takes away tags. */
export function Tagging({ draft, change, faults }: StepProps) {
  const t = useT();
  const say = useSay();
  const { tagging_directive: directive, tag_set: tags } = draft.operation.cos_put_object_tagging;
  const found = listFaults(faults, TAGS, "key");
  const set = (part: Change<TaggingDraft>) => {
    change({ operation: { cos_put_object_tagging: part } });
  };
  return (
    <Container header={<Header variant="h2">{t("op.cos_put_object_tagging")}</Header>}>
      <SpaceBetween size="l">
        <StepField name="operation.cos_put_object_tagging.tagging_directive" faults={faults}>
          <RadioGroup
            value={directive}
            items={CHANGES.map((value) => ({
              value,
              label: t(`op.tagging.${value}`),
              description: t(`op.tagging-text.${value}`),
            }))}
            onChange={({ detail }) => {
              const chosen = CHANGES.find((each) => each === detail.value);
              if (chosen) set({ tagging_directive: chosen });
            }}
          />
        </StepField>
        <StepField name={TAGS} faults={found.whole} stretch description={t("op.tags-text")}>
          <TagsEditor
            tags={tags}
            hasValues={directive !== "Delete"}
            faultOf={pairFaults(found, say)}
            onChange={(changed) => {
              set({ tag_set: changed });
            }}
          />
        </StepField>
        {directive === "Delete" && tags.length === 0 && <Alert type="warning">{t("op.all-tags-go")}</Alert>}
      </SpaceBetween>
    </Container>
  );
}
