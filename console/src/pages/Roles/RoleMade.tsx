import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useNavigate } from "react-router";

import type { Schemas } from "../../api/types";
import { CopyText } from "../../components/CopyText";
import { roleName } from "../../components/roleNames";
import { useSpeech } from "../../i18n";
import { Policies } from "./PolicyText";

interface RoleMadeProps {
  made: Schemas["RoleMadeView"];
  /** Where somebody came from who needed a role; below /ui. */
  returnTo: string | null;
  onTest: () => void;
  onClose: () => void;
}

/** What came of creating a role, and what is left to do at its provider. */
export function RoleMade({ made: { role, policies, ...made }, returnTo, onTest, onClose }: RoleMadeProps) {
  const { t, retold } = useSpeech();
  const navigate = useNavigate();
  const isToPaste = policies !== null && !made.is_made;
  return (
    <Modal
      visible
      size={policies ? "large" : "medium"}
      header={t("roles.made-of", { name: roleName(role.role_arn) })}
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              {t("action.close")}
            </Button>
            <Button onClick={onTest}>{t("roles.test")}</Button>
            {returnTo !== null && (
              <Button variant="primary" onClick={() => void navigate(returnTo)}>
                {t("roles.return")}
              </Button>
            )}
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <Alert type={isToPaste ? "warning" : "success"}>
          {t(made.is_made ? "roles.made.there" : isToPaste ? "roles.made.paste" : "roles.made.here")}
          {made.why_not && <div className="mono">{retold(made.why_not)}</div>}
        </Alert>
        <div className="mono">
          <CopyText text={role.role_arn} />
        </div>
        {policies && <Policies policies={policies} provider={role.provider} />}
      </SpaceBetween>
    </Modal>
  );
}
