import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Tiles from "@cloudscape-design/components/tiles";

import type { Capabilities } from "../../api/types";
import { type Translate, useT } from "../../i18n";
import { Copy } from "./Copy";
import { Delete } from "./Delete";
import { ETag } from "./ETag";
import { StepField } from "./Field";
import type { Draft, OperationField, StepProps } from "./model";
import { isRefused, type Offer, offerOf } from "./offers";
import { Restore } from "./Restore";
import { Tagging } from "./Tagging";

/** Step 2: what is done with each object. */
export function Operation(props: StepProps) {
  return (
    <SpaceBetween size="l">
      <Inventory {...props} />
      <Choice {...props} />
      <Parameters {...props} />
    </SpaceBetween>
  );
}

/** Which inventory all of this is for, told by its ETag. */
function Inventory({ draft, look }: StepProps) {
  const t = useT();
  const { bucket, key, etag } = draft.manifest.location;
  const read = etag || look.data?.etag;
  return (
    <Container header={<Header variant="h2">{t("op.inventory")}</Header>}>
      <KeyValuePairs
        columns={3}
        minColumnWidth={200}
        items={[
          { label: t("op.inventory-file"), value: <span className="mono">{`${bucket}/${key}`}</span> },
          { label: t("manifest.etag"), value: read ? <ETag of={read} /> : "-" },
          { label: t("manifest.source"), value: look.data?.source_bucket ?? "-" },
        ]}
      />
    </Container>
  );
}

const IN_ORDER: readonly OperationField[] = [
  "cos_put_object_copy",
  "cos_initiate_restore_object",
  "cos_delete_object",
  "cos_put_object_tagging",
];

function Choice({ draft, change, faults, capabilities }: StepProps) {
  const t = useT();
  const offer = offerOf(capabilities, draft.region);
  const tiles = IN_ORDER.filter((name) => isOffered(name, capabilities)).map((name) => {
    const reason = whyNot(name, { offer, draft, t });
    return {
      value: name,
      label: t(`op.${name}`),
      description: reason ?? t(`op.${name}.text`),
      disabled: reason !== null && draft.operation.chosen !== name,
    };
  });
  return (
    <Container header={<Header variant="h2">{t("op.choice")}</Header>}>
      <StepField name="operation" faults={faults} stretch>
        <Tiles
          value={draft.operation.chosen || null}
          columns={4}
          items={tiles}
          onChange={({ detail }) => {
            const tile = tiles.find(({ value }) => value === detail.value);
            if (tile) change({ operation: { chosen: tile.value } });
          }}
        />
      </StepField>
    </Container>
  );
}

function isOffered(name: OperationField, { operations }: Pick<Capabilities, "operations">): boolean {
  return operations.some(({ field }) => field === name);
}

interface Ground {
  offer: Offer | undefined;
  draft: Draft;
  t: Translate;
}

/** Why the store of the job's region cannot do it; null where it can. */
function whyNot(name: OperationField, { offer, draft, t }: Ground): string | null {
  const region = draft.region;
  if (name === "cos_initiate_restore_object" && isRefused(offer, "restore")) return t("op.no-restore", { region });
  if (name === "cos_put_object_tagging" && isRefused(offer, "object-tagging")) return t("op.no-tagging", { region });
  return null;
}

function Parameters(props: StepProps) {
  switch (props.draft.operation.chosen) {
    case "cos_put_object_copy":
      return <Copy {...props} />;
    case "cos_initiate_restore_object":
      return <Restore {...props} />;
    case "cos_delete_object":
      return <Delete {...props} />;
    case "cos_put_object_tagging":
      return <Tagging {...props} />;
    case "":
      return null;
  }
}
