import SpaceBetween from "@cloudscape-design/components/space-between";

import { TagsEditor } from "../../components/TagsEditor";
import { useT } from "../../i18n";
import type { CopyProps } from "./Copy";
import { DirectiveChoice } from "./DirectiveChoice";
import { listFaults, pairFaults } from "./faultPlaces";
import { StepField, useSay } from "./Field";
import type { Directive } from "./model";
import { isRefused, type Offer, refusedBy } from "./offers";

const TAGS = "operation.cos_put_object_copy.new_object_tagging";

/** Which tags copies have. */
export function CopyTags({ faults, copy, set, source, target }: CopyProps) {
  const t = useT();
  const say = useSay();
  const found = listFaults(faults, TAGS, "key");
  return (
    <SpaceBetween size="m">
      <StepField name="operation.cos_put_object_copy.tagging_directive" faults={faults}>
        <DirectiveChoice
          of="tags"
          value={copy.tagging_directive}
          reasonAgainst={(directive) => {
            const refusing = refusalOf(directive, source, target);
            return refusing ? t("op.refused", { region: refusing.name }) : null;
          }}
          onChange={(tagging_directive) => {
            set({ tagging_directive });
          }}
        />
      </StepField>
      {copy.tagging_directive !== "Copy" && (
        <StepField name={TAGS} faults={found.whole} stretch description={t("op.tags-text")}>
          <TagsEditor
            tags={copy.new_object_tagging}
            faultOf={pairFaults(found, say)}
            onChange={(tags) => {
              set({ new_object_tagging: tags });
            }}
          />
        </StepField>
      )}
    </SpaceBetween>
  );
}

/** The store by which a copy with these tags would be refused. A store without any tags has none to take along. */
function refusalOf(directive: Directive, source?: Offer, target?: Offer): Offer | undefined {
  if (directive === "Copy") return isRefused(target, "object-tagging") ? undefined : refusedBy("tagging-copy", target);
  const refusing = refusedBy("tagging-replace", target) ?? refusedBy("object-tagging", target);
  return refusing ?? (directive === "Add" ? refusedBy("object-tagging", source) : undefined);
}
