import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { useMutation } from "@tanstack/react-query";

import { told } from "../../api/client";
import { useApi } from "../../api/context";
import { useMay } from "../../api/queries";
import type { Schemas } from "../../api/types";
import { ErrorAlert, FaultText } from "../../components/ErrorAlert";
import { useT } from "../../i18n";
import { useFormats } from "../../i18n/formats";
import { lookForm } from "./look";
import type { ManifestLook, StepProps } from "./model";

type Checked = Schemas["ManifestCheckedView"];

/** Reads the rows to their end, or as far as somebody waits for it. Nothing in it keeps a job from being made. */
export function ManifestCheck({ draft, capabilities, read }: StepProps & { read: ManifestLook }) {
  const t = useT();
  const api = useApi();
  const may = useMay();
  const check = useMutation({
    mutationFn: (body: Schemas["LookForm"]) => told(api.POST("/manifests:check", { body })),
  });
  const form = lookForm(draft, capabilities);
  if (!form || !may("check_manifest")) return null;
  return (
    <SpaceBetween size="s">
      <Header
        variant="h3"
        description={t("manifest.check-text")}
        actions={
          <Button
            loading={check.isPending}
            loadingText={t("manifest.is-checking")}
            onClick={() => {
              check.mutate(pinned(form, read.etag));
            }}
          >
            {t("manifest.check")}
          </Button>
        }
      >
        {t("manifest.check-title")}
      </Header>
      {check.error && <ErrorAlert error={check.error} header={t("manifest.check-failed")} />}
      {check.data && !check.isPending && <Result found={check.data} />}
    </SpaceBetween>
  );
}

/** Of the very manifest whose rows are shown. */
function pinned(form: Schemas["LookForm"], etag: string): Schemas["LookForm"] {
  return { ...form, manifest: { ...form.manifest, location: { ...form.manifest.location, etag } } };
}

function Result({ found }: { found: Checked }) {
  const t = useT();
  const formats = useFormats();
  return (
    <SpaceBetween size="m">
      <Verdict found={found} />
      <KeyValuePairs
        columns={4}
        minColumnWidth={180}
        items={[
          { label: t("manifest.rows"), value: formats.count(found.rows) },
          { label: t("manifest.bad"), value: found.more_faults ? `${found.faults.length}+` : found.faults.length },
          { label: t("manifest.repeats"), value: formats.count(found.repeats) },
          { label: t("manifest.delete-markers"), value: formats.count(found.delete_markers) },
          {
            label: t("manifest.covered"),
            value: t("manifest.covered-of", {
              read: formats.bytes(found.bytes_read),
              size: found.size_bytes === null ? "-" : formats.bytes(found.size_bytes),
            }),
          },
          ...(found.listed_objects === null
            ? []
            : [{ label: t("manifest.listed"), value: formats.count(found.listed_objects) }]),
          ...(found.listed_bytes === null
            ? []
            : [{ label: t("manifest.listed-bytes"), value: formats.bytes(found.listed_bytes) }]),
        ]}
      />
      {found.repeats > 0 && <Repeats found={found} />}
      {found.faults.length > 0 && (
        <Alert type="error" header={t("manifest.faulty")}>
          <ul className="plain-list">
            {found.faults.map((fault) => (
              <li key={`${fault.path} ${fault.problem}`}>
                <FaultText fault={fault} />
              </li>
            ))}
          </ul>
          {found.more_faults && t("manifest.more-faults")}
        </Alert>
      )}
    </SpaceBetween>
  );
}

function Verdict({ found }: { found: Checked }) {
  const t = useT();
  if (!found.is_usable) return <StatusIndicator type="error">{t("manifest.unusable")}</StatusIndicator>;
  return found.is_complete ? (
    <StatusIndicator type="success">{t("manifest.usable")}</StatusIndicator>
  ) : (
    <StatusIndicator type="info">{t("manifest.usable-so-far", { rows: found.rows })}</StatusIndicator>
  );
}

function Repeats({ found }: { found: Checked }) {
  const t = useT();
  return (
    <Alert type="warning" header={t("manifest.repeated", { repeats: found.repeats })}>
      {t("manifest.repeated-text")}
      <ul className="plain-list">
        {found.first_repeats.map(({ row, key, version_id: version }) => (
          <li key={row}>
            {t("manifest.repeated-row", { row })} <Box variant="code">{key}</Box>
            {version && ` (${version})`}
          </li>
        ))}
      </ul>
    </Alert>
  );
}
