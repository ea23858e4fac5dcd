import SpaceBetween from "@cloudscape-design/components/space-between";
import { useMutation, useQueryClient } from "@tanstack/react-query";

import { told } from "../../api/client";
import { useApi } from "../../api/context";
import type { Role } from "../../api/types";
import { ConfirmModal } from "../../components/ConfirmModal";
import { useFlashes } from "../../components/flashes";
import { roleName } from "../../components/roleNames";
import { useT } from "../../i18n";

/** Takes a role out of the registry. The service refuses it while a job needs the role, and says which one. */
export function DeleteRole({ role, onClose, onDone }: { role: Role; onClose: () => void; onDone: () => void }) {
  const t = useT();
  const api = useApi();
  const queries = useQueryClient();
  const { flash } = useFlashes();
  const name = roleName(role.role_arn);
  const remove = useMutation({
    mutationFn: () => told(api.DELETE("/roles/{role_arn}", { params: { path: { role_arn: role.role_arn } } })),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ["roles"] });
      flash({ type: "success", content: ({ t }) => t("roles.delete.done", { name }) });
      onDone();
    },
  });
  const { unfinished } = role.used_by_jobs;
  return (
    <ConfirmModal
      title={t("roles.delete")}
      action={t("roles.delete.do")}
      typed={name}
      isPending={remove.isPending}
      error={remove.error}
      onConfirm={remove.mutate}
      onClose={onClose}
    >
      <SpaceBetween size="xs">
        <div className="mono">{role.role_arn}</div>
        <div>{t(role.provider === "stored" ? "roles.delete.effect.stored" : "roles.delete.effect.sts")}</div>
        {unfinished > 0 && <div>{t("roles.delete.used", { count: unfinished })}</div>}
      </SpaceBetween>
    </ConfirmModal>
  );
}
