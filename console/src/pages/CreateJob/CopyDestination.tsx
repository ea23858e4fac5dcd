import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import ColumnLayout from "@cloudscape-design/components/column-layout";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import RadioGroup from "@cloudscape-design/components/radio-group";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import Table from "@cloudscape-design/components/table";

import { BucketSelect } from "../../components/BucketSelect";
import { RegionSelect } from "../../components/RegionSelect";
import { useT } from "../../i18n";
import type { CopyProps } from "./Copy";
import { StepField } from "./Field";
import { isRefused } from "./offers";
import { overlaps } from "./overlaps";
import { exampleOf, targetKeyOf } from "./preview";

const ROWS_SHOWN = 3;
/** Examples in the empty inputs. */
const FROM = "raw/";
const TO = "archive/raw/";

/** Where copies go, and what they are called there. */
export function CopyDestination(props: CopyProps) {
  const { draft, faults, copy, set } = props;
  const t = useT();
  return (
    <Container header={<Header variant="h2">{t("op.destination")}</Header>}>
      <SpaceBetween size="l">
        <ColumnLayout columns={2}>
          <StepField
            name="operation.cos_put_object_copy.target_region"
            faults={faults}
            description={t("op.region-text")}
          >
            <RegionSelect
              value={copy.target_region}
              emptyLabel={t("op.same-region", { region: draft.region })}
              onChange={(region) => {
                set({ target_region: region === draft.region ? "" : region });
              }}
            />
          </StepField>
          <StepField
            name="operation.cos_put_object_copy.target_resource"
            faults={faults}
            description={t("op.bucket-text")}
          >
            <BucketSelect
              region={props.targetRegion}
              roleArn={draft.role_arn}
              value={copy.target_resource}
              onChange={(bucket) => {
                set({ target_resource: bucket });
              }}
            />
          </StepField>
        </ColumnLayout>
        <Prefixes {...props} />
        <Consequences {...props} />
      </SpaceBetween>
    </Container>
  );
}

function Prefixes(props: CopyProps) {
  const { faults, copy, set } = props;
  const t = useT();
  return (
    <SpaceBetween size="m">
      <StepField name="operation.cos_put_object_copy.prefix_replace" faults={faults}>
        <RadioGroup
          value={copy.prefix_replace ? "replace" : "keep"}
          items={[
            { value: "keep", label: t("op.prefix.keep"), description: t("op.prefix-text.keep") },
            { value: "replace", label: t("op.prefix.replace"), description: t("op.prefix-text.replace") },
          ]}
          onChange={({ detail }) => {
            set({ prefix_replace: detail.value === "replace" });
          }}
        />
      </StepField>
      {copy.prefix_replace && (
        <ColumnLayout columns={2}>
          <StepField
            name="operation.cos_put_object_copy.resources_prefix"
            faults={faults}
            description={t("op.from-text")}
          >
            <Input
              value={copy.resources_prefix}
              placeholder={FROM}
              spellcheck={false}
              onChange={({ detail }) => {
                set({ resources_prefix: detail.value });
              }}
            />
          </StepField>
          <StepField
            name="operation.cos_put_object_copy.target_key_prefix"
            faults={faults}
            description={t("op.to-text")}
          >
            <Input
              value={copy.target_key_prefix}
              placeholder={TO}
              spellcheck={false}
              onChange={({ detail }) => {
                set({ target_key_prefix: detail.value });
              }}
            />
          </StepField>
        </ColumnLayout>
      )}
      <Example {...props} />
    </SpaceBetween>
  );
}

/** What the first keys of the inventory become, while the prefixes are typed. */
function Example({ draft, copy, look }: CopyProps) {
  const t = useT();
  const { rows, mismatches } = exampleOf(draft, look.data);
  if (rows === 0) return <Box color="text-body-secondary">{t("op.no-example")}</Box>;
  const keys = keysOf(look.data?.first_rows ?? []);
  return (
    <SpaceBetween size="xs">
      <Table<string>
        variant="borderless"
        contentDensity="compact"
        wrapLines
        items={keys.slice(0, ROWS_SHOWN)}
        trackBy={(key) => key}
        ariaLabels={{ tableLabel: t("op.example") }}
        columnDefinitions={[
          {
            id: "from",
            header: t("op.example-from"),
            width: "50%",
            cell: (key) => <span className="mono">{key}</span>,
          },
          {
            id: "to",
            header: t("op.example-to"),
            cell: (key) => {
              const target = targetKeyOf(key, copy);
              if (target) return <span className="mono">{target}</span>;
              const failure = target === "" ? "op.example-empty" : "op.example-mismatch";
              return <StatusIndicator type="error">{t(failure)}</StatusIndicator>;
            },
          },
        ]}
      />
      {mismatches > 0 && <Alert type="warning">{t("op.mismatches", { mismatches, rows })}</Alert>}
    </SpaceBetween>
  );
}

/** What the user may not have thought of: objects that are overwritten, or read after they were. */
function Consequences({ draft, copy, look, targetRegion, target }: CopyProps) {
  const t = useT();
  const bucket = look.data?.source_bucket;
  const isOwn = copy.target_resource !== "" && copy.target_resource === bucket && targetRegion === draft.region;
  const keys = keysOf(look.data?.first_rows ?? []);
  return (
    <SpaceBetween size="s">
      {isOwn && !copy.prefix_replace && (
        <Alert type="warning" header={t("op.in-place")}>
          {t("op.in-place-text")}
        </Alert>
      )}
      {isOwn && overlaps(keys, copy) && (
        <Alert type="error" header={t("op.overlap")}>
          {t("op.overlap-text")}
        </Alert>
      )}
      <Alert type="info">
        {t("op.both", {
          first: t("op.overwrites"),
          second: t(isRefused(target, "part-copy") ? "op.no-parts" : "op.parts", { region: targetRegion }),
        })}
      </Alert>
    </SpaceBetween>
  );
}

function keysOf(rows: readonly { row: { key: string } | null }[]): string[] {
  return [...new Set(rows.flatMap(({ row }) => (row ? [row.key] : [])))];
}
