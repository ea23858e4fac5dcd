import Button from "@cloudscape-design/components/button";
import ColumnLayout from "@cloudscape-design/components/column-layout";
import Container from "@cloudscape-design/components/container";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Tiles from "@cloudscape-design/components/tiles";
import { useEffect, useState } from "react";

import { ApiError } from "../../api/errors";
import { BucketSelect } from "../../components/BucketSelect";
import { ObjectBrowser } from "../../components/ObjectBrowser";
import { RegionSelect } from "../../components/RegionSelect";
import { RoleSelect } from "../../components/RoleSelect";
import { useT } from "../../i18n";
import { adopted, CSV, INVENTORY, kindOfName, unread } from "./columns";
import { StepField } from "./Field";
import { ManifestReading } from "./ManifestReading";
import { type Change, type Draft, fieldFaults, type StepProps } from "./model";

const EXAMPLE = "inventory/manifest.json";

/** Step 1: which objects. */
export function Manifest(props: StepProps) {
  useAdoption(props);
  const { faults, look } = props;
  const told = look.error instanceof ApiError ? fieldFaults(look.error.faults) : [];
  return (
    <SpaceBetween size="l">
      <Place {...props} faults={[...faults, ...told]} />
      <ManifestReading {...props} />
    </SpaceBetween>
  );
}

/** What the first look at a manifest settles becomes part of the draft at once, so that a later change is noticed. */
function useAdoption({ draft, change, look }: StepProps) {
  const { location, spec } = draft.manifest;
  const read = look.isFetching ? undefined : look.data;
  const part = read ? adopted(spec, read) : null;
  const etag = location.etag === "" ? read?.etag : undefined;
  useEffect(() => {
    if (part || etag)
      change({ manifest: { ...(part ? { spec: part } : {}), ...(etag ? { location: { etag } } : {}) } });
  });
}

/** What was read of another file says nothing of this one. */
const UNREAD: Change<Draft["manifest"]> = { location: { etag: "" }, spec: { fields: [] } };

function Place(props: StepProps) {
  const { draft, change, faults } = props;
  const t = useT();
  const { location } = draft.manifest;
  const [isOpen, setOpen] = useState(location.object_version_id !== "");
  const relocate = (part: Partial<typeof location>) => {
    change({ manifest: { ...UNREAD, location: { ...UNREAD.location, ...part } } });
  };
  return (
    <Container header={<Header variant="h2">{t("manifest.place")}</Header>}>
      <SpaceBetween size="l">
        <ColumnLayout columns={2}>
          <StepField name="region" faults={faults} description={t("manifest.region-text")}>
            <RegionSelect
              value={draft.region}
              onChange={(region) => {
                change({ region, manifest: UNREAD });
              }}
            />
          </StepField>
          <StepField name="role_arn" faults={faults} description={t("manifest.role-text")}>
            <RoleSelect
              isOptional
              value={draft.role_arn}
              onChange={(role_arn) => {
                change({ role_arn });
              }}
            />
          </StepField>
        </ColumnLayout>
        <Format {...props} />
        <ColumnLayout columns={2}>
          <StepField name="manifest.location.bucket" faults={faults} description={t("manifest.bucket-text")}>
            <BucketSelect
              region={draft.region}
              roleArn={draft.role_arn}
              value={location.bucket}
              onChange={(bucket) => {
                relocate({ bucket });
              }}
            />
          </StepField>
          <Path {...props} />
        </ColumnLayout>
        <ExpandableSection
          headerText={t("manifest.more")}
          expanded={isOpen || faults.some(({ field }) => field === "manifest.location.object_version_id")}
          onChange={({ detail }) => {
            setOpen(detail.expanded);
          }}
        >
          <StepField
            name="manifest.location.object_version_id"
            faults={faults}
            isOptional
            description={t("manifest.version-text")}
          >
            <Input
              value={location.object_version_id}
              spellcheck={false}
              onChange={({ detail }) => {
                relocate({ object_version_id: detail.value.trim() });
              }}
            />
          </StepField>
        </ExpandableSection>
      </SpaceBetween>
    </Container>
  );
}

function Format({ draft, change, faults, capabilities }: StepProps) {
  const t = useT();
  const { format } = draft.manifest.spec;
  const known = capabilities.words.manifest_formats;
  const named = kindOfName(draft.manifest.location.key);
  const chosen = format === "" || format === CSV ? format : INVENTORY;
  const isUnlike = format !== "" && named !== null && named !== chosen;
  const choose = (value: typeof format) => {
    change({ manifest: { spec: { format: value, format_is_chosen: true, fields: [] } } });
  };
  const tiles = [
    { value: INVENTORY, label: t("manifest.inventory"), description: t("manifest.inventory-text") },
    { value: CSV, label: t("manifest.csv"), description: t("manifest.csv-text") },
  ].filter(({ value }) => known.includes(value));
  return (
    <StepField
      name="manifest.spec.format"
      faults={faults}
      stretch
      description={t("manifest.format-text")}
      warningText={isUnlike && t(named === CSV ? "manifest.looks-like-csv" : "manifest.looks-like-inventory")}
    >
      <Tiles
        value={chosen || null}
        items={tiles}
        onChange={({ detail }) => {
          const tile = tiles.find(({ value }) => value === detail.value);
          if (tile) choose(tile.value);
        }}
      />
    </StepField>
  );
}

function Path({ draft, change, faults }: StepProps) {
  const t = useT();
  const [isBrowsing, setBrowsing] = useState(false);
  const { bucket, key } = draft.manifest.location;
  return (
    <StepField name="manifest.location.key" faults={faults} description={t("manifest.key-text")}>
      <div className="beside">
        <div>
          <Input
            value={key}
            placeholder={EXAMPLE}
            spellcheck={false}
            onChange={({ detail }) => {
              change({ manifest: { location: { key: detail.value, etag: "" }, spec: { fields: [] } } });
            }}
          />
        </div>
        <Button
          iconName="search"
          disabled={draft.region === "" || bucket === ""}
          disabledReason={t("manifest.browse-first")}
          onClick={() => {
            setBrowsing(true);
          }}
        >
          {t("browse.do")}
        </Button>
      </div>
      {isBrowsing && (
        <ObjectBrowser
          sight={{ region: draft.region, roleArn: draft.role_arn }}
          bucket={bucket}
          value={key}
          onClose={() => {
            setBrowsing(false);
          }}
          onChoose={(chosen) => {
            setBrowsing(false);
            const location = { key: chosen, object_version_id: "", etag: "" };
            change({ manifest: { location, spec: unread(draft.manifest.spec) } });
          }}
        />
      )}
    </StepField>
  );
}
