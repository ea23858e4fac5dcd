import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs, { type KeyValuePairsProps } from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import Table from "@cloudscape-design/components/table";
import type { ReactNode } from "react";

import { useCapabilities } from "../../api/queries";
import type { Region } from "../../api/types";
import { CopyText } from "../../components/CopyText";
import { RelativeTime } from "../../components/RelativeTime";
import { useT } from "../../i18n";
import { useFormats } from "../../i18n/formats";
import { offeredOptions, type OfferedOption, overridesIn, profileOf } from "./overrides";

/** All that is known of a region, and what its store does for jobs. Where it is, is told to admins alone. */
export function RegionDetails({ region }: { region: Region }) {
  const t = useT();
  const items = [...useCommon(region), ...useConnection(region)];
  return (
    <Container header={<Header variant="h2">{t("regions.change-of", { name: region.name })}</Header>}>
      <SpaceBetween size="l">
        <KeyValuePairs columns={3} minColumnWidth={220} items={items} />
        <Offered region={region} />
      </SpaceBetween>
    </Container>
  );
}

function useCommon(region: Region): KeyValuePairsProps.Pair[] {
  const t = useT();
  return [
    { label: t("regions.provider"), value: t(`regions.provider.${region.provider}`) },
    { label: t("regions.profile"), value: <span className="mono">{region.profile}</span> },
    {
      label: t("regions.storage_classes"),
      value:
        region.storage_classes.length > 0 ? (
          <span className="mono">{region.storage_classes.join(", ")}</span>
        ) : (
          t("regions.as-profile")
        ),
    },
    { label: t("origin.title"), value: <Origin region={region} /> },
  ];
}

function Origin({ region }: { region: Region }) {
  const t = useT();
  return (
    <>
      {t(region.is_declared ? "origin.settings" : "origin.service")}
      {region.changed_at && (
        <Box fontSize="body-s" color="text-body-secondary">
          {t("regions.changed")} <RelativeTime at={region.changed_at} />
        </Box>
      )}
    </>
  );
}

function useConnection({ connection }: Region): KeyValuePairsProps.Pair[] {
  const t = useT();
  const formats = useFormats();
  if (!connection) return [];
  const limited = (value: number | null, say: (value: number) => string): ReactNode =>
    value === null ? t("regions.unlimited") : say(value);
  return [
    { label: t("regions.endpoint"), value: <CopyText text={connection.endpoint} /> },
    { label: t("regions.addressing"), value: t(`regions.addressing.${connection.addressing}`) },
    { label: t("regions.signing_region"), value: <span className="mono">{connection.signing_region}</span> },
    {
      label: t("regions.ca_file"),
      value: connection.ca_file ? <CopyText text={connection.ca_file} /> : t("regions.ca_file.system"),
    },
    { label: t("regions.requests_per_second"), value: limited(connection.requests_per_second, formats.rate) },
    { label: t("regions.bytes_per_second"), value: limited(connection.bytes_per_second, formats.bytes) },
    { label: t("regions.max_connections"), value: formats.count(connection.max_connections) },
  ];
}

const LOOKS = { applied: "success", emulated: "info", refused: "stopped" } as const;

/** What the store does with each option of a job, and whether the region or its profile says so. */
function Offered({ region }: { region: Region }) {
  const t = useT();
  const capabilities = useCapabilities().data;
  const offer = capabilities?.regions.find(({ name }) => name === region.name);
  if (!offer) return null;
  const overrides = region.connection && overridesIn(region.connection.profile_overrides);
  const profile = profileOf(capabilities?.profiles ?? [], region.profile);
  const rows = offeredOptions(offer, profile, overrides ?? undefined);
  const own = rows.filter(({ isOwn }) => isOwn).length;
  return (
    <ExpandableSection
      key={region.name}
      headerText={t("regions.offered")}
      headerDescription={t("regions.offered.own", { count: own })}
      defaultExpanded={own > 0}
    >
      <Table<OfferedOption>
        variant="embedded"
        contentDensity="compact"
        items={rows}
        trackBy="option"
        wrapLines
        ariaLabels={{ tableLabel: t("regions.offered") }}
        columnDefinitions={[
          {
            id: "option",
            header: t("regions.offered.option"),
            isRowHeader: true,
            cell: ({ option }) => (
              <>
                {t(`regions.option.${option}`)} <Box variant="code">{option}</Box>
              </>
            ),
          },
          {
            id: "support",
            header: t("regions.offered.support"),
            minWidth: 150,
            cell: ({ support }) => (
              <StatusIndicator type={LOOKS[support]}>{t(`regions.support.${support}`)}</StatusIndicator>
            ),
          },
          {
            id: "by",
            header: t("regions.offered.by"),
            minWidth: 150,
            cell: ({ isOwn }) => (isOwn ? t("regions.offered.region") : t("regions.offered.profile")),
          },
        ]}
      />
    </ExpandableSection>
  );
}
