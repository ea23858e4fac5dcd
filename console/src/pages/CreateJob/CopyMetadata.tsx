import SpaceBetween from "@cloudscape-design/components/space-between";

import { MetadataEditor } from "../../components/MetadataEditor";
import { useT } from "../../i18n";
import type { CopyProps } from "./Copy";
import { DirectiveChoice } from "./DirectiveChoice";
import { listFaults, pairFaults } from "./faultPlaces";
import { StepField, useSay } from "./Field";
import { isRefused } from "./offers";

const METADATA = "operation.cos_put_object_copy.new_object_metadata";

/** What copies say of themselves. */
export function CopyMetadata({ faults, copy, set, target, targetRegion }: CopyProps) {
  const t = useT();
  const say = useSay();
  const found = listFaults(faults, `${METADATA}.user_metadata`, "key");
  const refusal = isRefused(target, "metadata-replace") ? t("op.refused", { region: targetRegion }) : null;
  return (
    <SpaceBetween size="m">
      <StepField name="operation.cos_put_object_copy.metadata_directive" faults={faults}>
        <DirectiveChoice
          of="metadata"
          value={copy.metadata_directive}
          reasonAgainst={(directive) => (directive === "Copy" ? null : refusal)}
          onChange={(metadata_directive) => {
            set({ metadata_directive });
          }}
        />
      </StepField>
      {copy.metadata_directive !== "Copy" && (
        <MetadataEditor
          metadata={copy.new_object_metadata}
          onChange={(part) => {
            set({ new_object_metadata: part });
          }}
          fieldOf={(name, control) => (
            <StepField
              key={name}
              name={`${METADATA}.${name}`}
              faults={name === "user_metadata" ? found.whole : faults}
              {...(name === "user_metadata" ? { stretch: true, description: t("metadata.user-text") } : {})}
            >
              {control}
            </StepField>
          )}
          faultOfPair={pairFaults(found, say)}
        />
      )}
    </SpaceBetween>
  );
}
