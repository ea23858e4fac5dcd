import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs, { type KeyValuePairsProps } from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";

import { CopyText } from "../../components/CopyText";
import { ETag } from "./ETag";
import { ErrorAlert, FaultText } from "../../components/ErrorAlert";
import { AbsoluteTime } from "../../components/RelativeTime";
import { useT } from "../../i18n";
import { useFormats } from "../../i18n/formats";
import { CSV, otherFaults } from "./columns";
import { fieldId } from "./Field";
import { ManifestCheck } from "./ManifestCheck";
import { ManifestRows } from "./ManifestRows";
import { ManifestWarnings } from "./ManifestWarnings";
import { type ManifestLook, type StepProps, stepOf } from "./model";

/** What stands in the manifest, as far as it could be read. */
export function ManifestReading(props: StepProps) {
  const t = useT();
  const { look } = props;
  return (
    <Container
      header={
        <Header
          variant="h2"
          description={t("manifest.reading-text")}
          actions={
            <Button iconName="refresh" disabled={!look.isAsked} loading={look.isFetching} onClick={look.read}>
              {t("manifest.read")}
            </Button>
          }
        >
          {t("manifest.reading")}
        </Header>
      }
    >
      <Read {...props} />
    </Container>
  );
}

function Read(props: StepProps) {
  const t = useT();
  const { look, draft } = props;
  if (!look.isAsked) return <Box color="text-body-secondary">{t("manifest.not-read")}</Box>;
  if (look.error && !look.isFetching) {
    return (
      <ErrorAlert
        error={look.error}
        header={t("manifest.unreadable")}
        onRetry={look.read}
        isShown={({ path }) => stepOf(path) === "manifest" || path === "role_arn"}
      />
    );
  }
  if (!look.data) return <StatusIndicator type="loading">{t("manifest.is-reading")}</StatusIndicator>;
  return (
    <SpaceBetween size="l">
      <Changed {...props} read={look.data} />
      <Details look={look.data} />
      <Faults look={look.data} />
      <ManifestWarnings {...props} read={look.data} />
      <ManifestRows {...props} read={look.data} />
      <ManifestCheck
        key={JSON.stringify([look.data.etag, draft.role_arn, draft.manifest.spec])}
        {...props}
        read={look.data}
      />
    </SpaceBetween>
  );
}

/** A manifest that is not any more what the draft was made of: what is shown is what is there now. */
function Changed({ draft, change, read }: StepProps & { read: ManifestLook }) {
  const t = useT();
  const pinned = draft.manifest.location.etag;
  if (pinned === "" || pinned === read.etag) return null;
  return (
    <div id={fieldId("manifest.location.etag")}>
      <Alert
        type="warning"
        header={t("manifest.changed")}
        action={
          <Button
            onClick={() => {
              change({ manifest: { location: { etag: read.etag } } });
            }}
          >
            {t("manifest.use-changed")}
          </Button>
        }
      >
        {t("manifest.changed-text", { before: `"${pinned}"`, now: `"${read.etag}"` })}
      </Alert>
    </div>
  );
}

function Details({ look }: { look: ManifestLook }) {
  const t = useT();
  const formats = useFormats();
  const items: KeyValuePairsProps.Item[] = [
    { label: t("manifest.etag"), value: <ETag of={look.etag} /> },
    {
      label: t("manifest.size"),
      value: look.is_gzip
        ? t("manifest.gzip", { size: formats.bytes(look.size_bytes) })
        : formats.bytes(look.size_bytes),
    },
    { label: t("manifest.modified"), value: <AbsoluteTime at={look.last_modified} /> },
    ...(look.object_version_id
      ? [{ label: t("manifest.version-id"), value: <CopyText text={look.object_version_id} /> }]
      : []),
    { label: t("manifest.format"), value: t(`manifest.format.${look.format}`) },
    { label: t("manifest.source"), value: look.source_bucket ? <CopyText text={look.source_bucket} /> : "-" },
    ...inventoryItems(),
  ];
  return <KeyValuePairs columns={3} minColumnWidth={220} items={items} />;

  function inventoryItems(): KeyValuePairsProps.Item[] {
    if (!look.inventory) return [];
    const { files, checksum_ok: isRight } = look.inventory;
    return [
      { label: t("manifest.files"), value: formats.count(files) },
      { label: t("manifest.checksum"), value: <Checksum isRight={isRight} /> },
      { label: t("manifest.schema"), value: look.columns.join(", ") || "-" },
    ];
  }
}

function Checksum({ isRight }: { isRight: boolean | null }) {
  const t = useT();
  if (isRight === null) return <StatusIndicator type="info">{t("manifest.checksum-none")}</StatusIndicator>;
  return isRight ? (
    <StatusIndicator type="success">{t("manifest.checksum-right")}</StatusIndicator>
  ) : (
    <StatusIndicator type="warning">{t("manifest.checksum-wrong")}</StatusIndicator>
  );
}

/** What a job would fail for and that stands at none of the rows below. */
function Faults({ look }: { look: ManifestLook }) {
  const t = useT();
  const others = otherFaults(look);
  const inRows = look.first_rows.reduce((sum, { problems }) => sum + problems.length, 0);
  if (others.length + inRows === 0) return null;
  return (
    <Alert type="error" header={t("manifest.faulty")}>
      <SpaceBetween size="xs">
        {inRows > 0 && <div>{t("manifest.faulty-rows", { problems: inRows })}</div>}
        {others.length > 0 && (
          <ul className="plain-list">
            {others.map((fault) => (
              <li key={`${fault.path} ${fault.problem}`}>
                <FaultText fault={fault} />
              </li>
            ))}
          </ul>
        )}
        {look.more_faults && <div>{t("manifest.more-faults")}</div>}
        {look.format !== CSV && others.length > 0 && <div>{t("manifest.faulty-format")}</div>}
      </SpaceBetween>
    </Alert>
  );
}
