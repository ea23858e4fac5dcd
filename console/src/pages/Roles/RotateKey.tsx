import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import Modal from "@cloudscape-design/components/modal";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { told } from "../../api/client";
import { useApi } from "../../api/context";
import type { Role } from "../../api/types";
import { useFlashes } from "../../components/flashes";
import { FormModal } from "../../components/FormModal";
import { roleName } from "../../components/roleNames";
import { useT } from "../../i18n";
import { EMPTY, hasKey, isOfKey, keyOf, type RoleDraft, takesSts } from "./roleForm";
import { TextInput } from "./TextInput";

interface RotateKeyProps {
  role: Role;
  /** The role as it is then. */
  onDone: (role: Role) => void;
  onClose: () => void;
}

/** Gives a role another key. One of the settings gets it there. */
export function RotateKey({ role, onDone, onClose }: RotateKeyProps) {
  return role.is_declared ? (
    <DeclaredKey role={role} onClose={onClose} />
  ) : (
    <NewKey role={role} onDone={onDone} onClose={onClose} />
  );
}

function DeclaredKey({ role, onClose }: Omit<RotateKeyProps, "onDone">) {
  const t = useT();
  return (
    <Modal
      visible
      header={t("roles.rotate-of", { name: roleName(role.role_arn) })}
      onDismiss={onClose}
      footer={
        <Box float="right">
          <Button variant="primary" onClick={onClose}>
            {t("action.close")}
          </Button>
        </Box>
      }
    >
      {t("roles.rotate.declared")}
    </Modal>
  );
}

function NewKey({ role, onDone, onClose }: RotateKeyProps) {
  const t = useT();
  const [draft, setDraft] = useState<RoleDraft>({ ...EMPTY, provider: role.provider });
  const replace = useReplace(role, onDone);
  const fields = {
    draft,
    change: (part: Partial<RoleDraft>) => {
      setDraft({ ...draft, ...part });
    },
    error: replace.error,
  };
  return (
    <FormModal
      title={t("roles.rotate-of", { name: roleName(role.role_arn) })}
      action={t("roles.rotate.do")}
      isPending={replace.isPending}
      error={replace.error}
      isShown={({ path }) => isOfKey(path)}
      isDisabled={!hasKey(draft)}
      onSubmit={() => {
        replace.mutate(draft);
      }}
      onClose={onClose}
    >
      <Box>{t(takesSts(role.provider) ? "roles.rotate.sts" : "roles.rotate.stored")}</Box>
      <TextInput {...fields} name="access_key_id" text={t(`roles.field.access_key_id.${role.provider}`)} />
      <TextInput {...fields} name="secret_access_key" text={t("roles.field.secret_access_key.text")} />
      <ExpandableSection headerText={t("roles.more")}>
        <TextInput {...fields} name="session_token" text={t("roles.field.session_token.text")} />
      </ExpandableSection>
      <Box>
        {role.used_by_jobs.unfinished > 0 && t("roles.rotate.jobs", { count: role.used_by_jobs.unfinished })}{" "}
        {t("roles.rotate.then")}
      </Box>
    </FormModal>
  );
}

function useReplace(role: Role, onDone: (role: Role) => void) {
  const api = useApi();
  const queries = useQueryClient();
  const { flash } = useFlashes();
  const params = { path: { role_arn: role.role_arn } };
  return useMutation({
    mutationFn: (draft: RoleDraft) => told(api.PUT("/roles/{role_arn}/key", { params, body: keyOf(draft) })),
    onSuccess: async (changed) => {
      flash({ type: "success", content: ({ t }) => t("roles.rotate.done", { name: roleName(role.role_arn) }) });
      await queries.invalidateQueries({ queryKey: ["roles"] });
      onDone(changed);
    },
    // What was typed in is kept by the form alone, and for as long as it is open.
    gcTime: 0,
  });
}
