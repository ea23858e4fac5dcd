import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";

import { useT } from "../i18n";
import { CopyText } from "./CopyText";

interface SecretModalProps {
  title: string;
  /** What is told, in order; the secret among it. */
  shown: readonly { label: string; value: string }[];
  onClose: () => void;
}

/** A secret that the service tells once. */
export function SecretModal({ title, shown, onClose }: SecretModalProps) {
  const t = useT();
  return (
    <Modal
      visible
      header={title}
      onDismiss={({ detail }) => {
        // It is told once: a click beside it, or a key, is too little to throw it away.
        if (detail.reason === "closeButton") onClose();
      }}
      footer={
        <Box float="right">
          <Button variant="primary" onClick={onClose}>
            {t("secret.done")}
          </Button>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <Alert type="warning">{t("secret.once")}</Alert>
        <KeyValuePairs
          columns={1}
          items={shown.map(({ label, value }) => ({
            label,
            value: (
              <div className="mono">
                <CopyText text={value} />
              </div>
            ),
          }))}
        />
      </SpaceBetween>
    </Modal>
  );
}
