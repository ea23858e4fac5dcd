import Alert from "@cloudscape-design/components/alert";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";

import { useT } from "../../i18n";
import type { ManifestLook, StepProps } from "./model";

const OF_VERSIONS = ["never", "enabled", "suspended"] as const;

/** Has nothing to fill in: it says what will be gone. */
export function Delete({ look, capabilities }: StepProps) {
  const t = useT();
  return (
    <Container header={<Header variant="h2">{t("op.cos_delete_object")}</Header>}>
      <SpaceBetween size="l">
        {!capabilities.deletes_allowed && (
          <Alert type="warning" header={t("op.deletes-off")}>
            {t("op.deletes-off-text")}
          </Alert>
        )}
        <Alert type="error" header={t("op.delete-header")}>
          {t("op.delete-text")}
        </Alert>
        <Named look={look.data} />
        <div>
          {t("op.delete-versions")}
          <ul className="plain-list">
            {OF_VERSIONS.map((kind) => (
              <li key={kind}>{t(`op.delete.${kind}`)}</li>
            ))}
          </ul>
        </div>
      </SpaceBetween>
    </Container>
  );
}

/** Whether rows name versions: those are gone for good even where the bucket keeps versions. */
function Named({ look }: { look: ManifestLook | undefined }) {
  const t = useT();
  if (!look || look.rows_looked_at === 0) return null;
  const { named, null: ofNull } = look.versions;
  const versions = named + ofNull;
  return versions > 0 ? (
    <Alert type="warning">{t("op.delete-named", { versions, rows: look.rows_looked_at })}</Alert>
  ) : (
    <Alert type="info">{t("op.delete-unnamed", { rows: look.rows_looked_at })}</Alert>
  );
}
