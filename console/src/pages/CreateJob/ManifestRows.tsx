import Box from "@cloudscape-design/components/box";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Toggle from "@cloudscape-design/components/toggle";

import { ColumnMapper } from "../../components/ColumnMapper";
import { ManifestPreview } from "../../components/ManifestPreview";
import { useT } from "../../i18n";
import { useFormats } from "../../i18n/formats";
import { columnFaults, CSV, isMapped, mappingOf, widthOf } from "./columns";
import { StepField } from "./Field";
import type { ManifestField, ManifestLook, StepProps } from "./model";

/** The service looks at no more of a file with rows. */
const LOOKED_AT_BYTES = 256 * 1024;

/** The first rows, and for a CSV what its columns hold. */
export function ManifestRows(props: StepProps & { read: ManifestLook }) {
  const t = useT();
  const formats = useFormats();
  const { read } = props;
  const isLong = read.format === CSV && read.size_bytes > LOOKED_AT_BYTES;
  return (
    <SpaceBetween size="s">
      <Header variant="h3" description={isLong && t("manifest.long", { size: formats.bytes(LOOKED_AT_BYTES) })}>
        {t("manifest.preview")}
      </Header>
      {read.format === CSV ? <MappedRows {...props} /> : <InventoryRows {...props} />}
    </SpaceBetween>
  );
}

function MappedRows({ draft, change, faults, read }: StepProps & { read: ManifestLook }) {
  const t = useT();
  const { spec } = draft.manifest;
  const fields = mappingOf(spec.fields, widthOf(read));
  const wrong = columnFaults(fields);
  const isGuessed = isMapped(fields) && fields.join() === read.guessed_fields.join();
  const map = (at: number, field: ManifestField) => {
    change({ manifest: { spec: { fields: fields.map((before, index) => (index === at ? field : before)) } } });
  };
  const headers = fields.map((field, index) => (
    <ColumnMapper
      key={index}
      column={index + 1}
      field={field}
      errorText={wrong[index] ? t(wrong[index]) : undefined}
      onChange={(next) => {
        map(index, next);
      }}
    />
  ));
  return (
    <SpaceBetween size="m">
      <StepField name="manifest.spec.key_encoding" faults={faults} description={t("manifest.encoding-text")}>
        <Toggle
          checked={spec.key_encoding === "url"}
          onChange={({ detail }) => {
            change({ manifest: { spec: { key_encoding: detail.checked ? "url" : "raw" } } });
          }}
        >
          {t("manifest.encoded")}
        </Toggle>
      </StepField>
      <StepField
        name="manifest.spec.fields"
        faults={faults}
        stretch
        description={t(isGuessed ? "manifest.guessed" : "manifest.map")}
      >
        <ManifestPreview rows={read.first_rows} headers={headers} isDecoded={isMapped(fields)} />
      </StepField>
    </SpaceBetween>
  );
}

function InventoryRows({ read }: { read: ManifestLook }) {
  const width = Math.max(read.columns.length, widthOf(read));
  const headers = Array.from({ length: width }, (_, index) => (
    <Box key={index} variant="span" fontWeight="bold">
      {read.columns[index] ?? index + 1}
    </Box>
  ));
  return <ManifestPreview rows={read.first_rows} headers={headers} isDecoded />;
}
