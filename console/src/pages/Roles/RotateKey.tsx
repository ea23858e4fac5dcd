import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";

import type { Role } from "../../api/types";
import { roleName } from "../../components/roleNames";
import { useMay } from "../../api/queries";
import { useT } from "../../i18n";
import { takesSts } from "./roleForm";

interface RotateKeyProps {
  role: Role;
  onCreate: () => void;
  onClose: () => void;
}

/** How a role gets another key: the service keeps the one that it was given, so a role with the new one takes its place. */
export function RotateKey({ role, onCreate, onClose }: RotateKeyProps) {
  const t = useT();
  const may = useMay();
  const how = role.is_declared ? "declared" : takesSts(role.provider) ? "sts" : "stored";
  const mayCreate = may("create_role") && how === "stored";
  return (
    <Modal
      visible
      header={t("roles.rotate-of", { name: roleName(role.role_arn) })}
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant={mayCreate ? "link" : "primary"} onClick={onClose}>
              {t("action.close")}
            </Button>
            {mayCreate && (
              <Button variant="primary" onClick={onCreate}>
                {t("roles.create")}
              </Button>
            )}
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="s">
        <Box>{t(`roles.rotate.${how}`)}</Box>
        {how !== "declared" && (
          <ol>
            {(["1", "2", "3"] as const).map((step) => (
              <li key={step}>{t(`roles.rotate.${how}.${step}`)}</li>
            ))}
          </ol>
        )}
      </SpaceBetween>
    </Modal>
  );
}
