import Alert from "@cloudscape-design/components/alert";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import { type ReactNode, useState } from "react";

import { useT } from "../i18n";
import { FormModal } from "./FormModal";

interface ConfirmModalProps {
  title: string;
  action: string;
  /** What comes of it, with the name of what it happens to. */
  children: ReactNode;
  /** What has to be typed first, where it cannot be undone. */
  typed?: string;
  isPending: boolean;
  error: Error | null;
  onConfirm: () => void;
  onClose: () => void;
}

/** Asks once more before something is lost. */
export function ConfirmModal({ typed, children, onConfirm, ...modal }: ConfirmModalProps) {
  const t = useT();
  const [text, setText] = useState("");
  return (
    <FormModal {...modal} isDisabled={typed !== undefined && text !== typed} onSubmit={onConfirm}>
      <Alert type="warning">{children}</Alert>
      {typed !== undefined && (
        <FormField label={t("confirm.type", { text: typed })}>
          <Input
            value={text}
            autoComplete={false}
            spellcheck={false}
            onChange={({ detail }) => {
              setText(detail.value);
            }}
          />
        </FormField>
      )}
    </FormModal>
  );
}
