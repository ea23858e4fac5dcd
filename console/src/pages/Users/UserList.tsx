import Button from "@cloudscape-design/components/button";
import ButtonDropdown from "@cloudscape-design/components/button-dropdown";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { told } from "../../api/client";
import { useApi } from "../../api/context";
import { useMay } from "../../api/queries";
import type { Schemas } from "../../api/types";
import { ConfirmedCall } from "../../components/ConfirmedCall";
import { useFlashes } from "../../components/flashes";
import { FormModal } from "../../components/FormModal";
import { RelativeTime } from "../../components/RelativeTime";
import { ResourceTable } from "../../components/ResourceTable";
import { SecretModal } from "../../components/SecretModal";
import { useT } from "../../i18n";
import { CreateUser } from "./CreateUser";
import { useOwnedList } from "./OwnerFilter";
import { queryOf } from "./owners";
import { RightChoice } from "./RightChoice";

type User = Schemas["UserView"];
type Right = Schemas["UserRole"];
type Asked = "create" | "role" | "disable" | "reset" | "delete" | null;

export function UserList() {
  const t = useT();
  const may = useMay();
  const api = useApi();
  const list = useOwnedList({ ofUsers: false });
  const { flash } = useFlashes();
  const [selected, setSelected] = useState<User | null>(null);
  const [asked, setAsked] = useState<Asked>(null);
  const [fresh, setFresh] = useState<{ name: string; password: string } | null>(null);
  const close = () => {
    setAsked(null);
  };
  const canChange = selected !== null && !selected.is_declared && may("update_user");
  return (
    <>
      <ResourceTable
        title={t("users.title")}
        description={t("users.list.text")}
        queryKey={["users", list.owner]}
        load={(cursor) =>
          told(api.GET("/users", { params: { query: { ...queryOf(list.owner), cursor, limit: 100 } } }))
        }
        idOf={(user) => user.name}
        filter={list.filter}
        empty={list.emptyFiltered ?? { title: t("users.empty") }}
        selected={selected}
        onSelect={setSelected}
        columns={[
          { id: "name", header: t("users.name"), cell: (user) => user.name, isRowHeader: true },
          { id: "role", header: t("users.role"), cell: (user) => t(`role.${user.role}`) },
          { id: "account", header: t("users.account"), cell: (user) => user.account },
          { id: "state", header: t("users.state"), minWidth: 130, cell: (user) => <UserState user={user} /> },
          {
            id: "created",
            header: t("users.created"),
            minWidth: 130,
            cell: (user) => <RelativeTime at={user.created_at} />,
          },
          {
            id: "origin",
            header: t("origin.title"),
            cell: (user) => t(user.is_declared ? "origin.settings" : "origin.service"),
          },
        ]}
        actions={
          may("create_user") && (
            <SpaceBetween direction="horizontal" size="xs">
              <ButtonDropdown
                disabled={!canChange}
                {...(selected?.is_declared && { disabledReason: t("origin.hint") })}
                items={[
                  { id: "role", text: t("users.change-role") },
                  { id: "reset", text: t("users.reset") },
                  { id: "disable", text: t(selected?.is_disabled ? "users.enable" : "users.disable") },
                  {
                    id: "delete",
                    text: t("users.delete"),
                    disabled: !selected?.is_disabled,
                    disabledReason: t("users.delete.hint"),
                  },
                ]}
                onItemClick={({ detail }) => {
                  setAsked(detail.id as Asked);
                }}
              >
                {t("table.actions")}
              </ButtonDropdown>
              <Button
                variant="primary"
                onClick={() => {
                  setAsked("create");
                }}
              >
                {t("users.create")}
              </Button>
            </SpaceBetween>
          )
        }
      />
      {asked === "create" && (
        <CreateUser
          onClose={close}
          onMade={({ user, password }) => {
            close();
            if (password) setFresh({ name: user.name, password });
            else flash({ type: "success", content: ({ t }) => t("users.made", { name: user.name }) });
          }}
        />
      )}
      {asked === "role" && selected && <ChangeRight user={selected} onClose={close} />}
      {asked === "disable" && selected && <Disable user={selected} onClose={close} />}
      {asked === "delete" && selected && (
        <Delete
          user={selected}
          onClose={close}
          onDone={() => {
            close();
            setSelected(null);
          }}
        />
      )}
      {asked === "reset" && selected && (
        <ResetPassword
          user={selected}
          onClose={close}
          onMade={(password) => {
            close();
            setFresh({ name: selected.name, password });
          }}
        />
      )}
      {fresh && (
        <SecretModal
          title={t("users.password-of", { name: fresh.name })}
          shown={[
            { label: t("login.user"), value: fresh.name },
            { label: t("users.password"), value: fresh.password },
          ]}
          onClose={() => {
            setFresh(null);
          }}
        />
      )}
    </>
  );
}

function UserState({ user }: { user: User }) {
  const t = useT();
  if (user.is_disabled) return <StatusIndicator type="stopped">{t("users.disabled")}</StatusIndicator>;
  if (user.must_change_password) return <StatusIndicator type="pending">{t("users.fresh")}</StatusIndicator>;
  return <StatusIndicator type="success">{t("users.enabled")}</StatusIndicator>;
}

interface OfUser {
  user: User;
  onClose: () => void;
}

function useChangeUser(name: string, onDone: () => void) {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["UserChange"]) =>
      told(api.PATCH("/users/{user}", { params: { path: { user: name } }, body })),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ["users"] });
      onDone();
    },
  });
}

function ChangeRight({ user, onClose }: OfUser) {
  const t = useT();
  const [role, setRole] = useState<Right>(user.role);
  const change = useChangeUser(user.name, onClose);
  return (
    <FormModal
      title={t("users.change-role-of", { name: user.name })}
      action={t("form.save")}
      isPending={change.isPending}
      error={change.error}
      isDisabled={role === user.role}
      onSubmit={() => {
        change.mutate({ role });
      }}
      onClose={onClose}
    >
      <RightChoice value={role} onChange={setRole} />
    </FormModal>
  );
}

function Disable({ user, onClose }: OfUser) {
  const t = useT();
  const api = useApi();
  const { flash } = useFlashes();
  const key = user.is_disabled ? "users.enable" : "users.disable";
  const params = { path: { user: user.name } };
  return (
    <ConfirmedCall
      title={t(key)}
      action={t(`${key}.do`)}
      effect={t(`${key}.effect`, { name: user.name })}
      queryKey={["users"]}
      call={() => told(api.PATCH("/users/{user}", { params, body: { is_disabled: !user.is_disabled } }))}
      onDone={() => {
        flash({ type: "success", content: ({ t }) => t(`${key}.done`, { name: user.name }) });
        onClose();
      }}
      onClose={onClose}
    />
  );
}

function ResetPassword({ user, onClose, onMade }: OfUser & { onMade: (password: string) => void }) {
  const t = useT();
  const api = useApi();
  return (
    <ConfirmedCall
      title={t("users.reset")}
      action={t("users.reset.do")}
      effect={t("users.reset.effect", { name: user.name })}
      queryKey={["users"]}
      call={() => told(api.POST("/users/{user}/reset-password", { params: { path: { user: user.name } } }))}
      onDone={({ password }) => {
        onMade(password);
      }}
      onClose={onClose}
    />
  );
}

function Delete({ user, onClose, onDone }: OfUser & { onDone: () => void }) {
  const t = useT();
  const api = useApi();
  return (
    <ConfirmedCall
      title={t("users.delete")}
      action={t("users.delete.do")}
      effect={t("users.delete.effect", { name: user.name })}
      typed={user.name}
      queryKey={["users"]}
      call={() => told(api.DELETE("/users/{user}", { params: { path: { user: user.name } } }))}
      onDone={onDone}
      onClose={onClose}
    />
  );
}
