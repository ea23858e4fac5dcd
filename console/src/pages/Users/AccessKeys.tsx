import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { told } from "../../api/client";
import { useApi } from "../../api/context";
import { useMay, useSession } from "../../api/queries";
import type { Schemas } from "../../api/types";
import { ConfirmedCall } from "../../components/ConfirmedCall";
import { CopyText } from "../../components/CopyText";
import { errorTextOf } from "../../components/faults";
import { FormModal } from "../../components/FormModal";
import { RelativeTime } from "../../components/RelativeTime";
import { ResourceTable } from "../../components/ResourceTable";
import { SecretModal } from "../../components/SecretModal";
import { useT } from "../../i18n";
import { OwnerCell, useOwnedList } from "./OwnerFilter";
import { queryOf } from "./owners";
import { UserSelect } from "./UserSelect";

type Key = Schemas["AccessKeyView"];

/** Keys that sign calls of the COS and S3 protocols. */
export function AccessKeys() {
  const t = useT();
  const may = useMay();
  const api = useApi();
  const list = useOwnedList({ ofUsers: true });
  const [selected, setSelected] = useState<Key | null>(null);
  const [asked, setAsked] = useState<"create" | "toggle" | "delete" | null>(null);
  const [fresh, setFresh] = useState<Schemas["NewAccessKeyView"] | null>(null);
  const close = () => {
    setAsked(null);
  };
  return (
    <>
      <ResourceTable
        title={t("keys.title")}
        description={t("keys.text")}
        queryKey={["access-keys", list.owner]}
        load={(cursor) =>
          told(api.GET("/access-keys", { params: { query: { ...queryOf(list.owner), cursor, limit: 100 } } }))
        }
        idOf={(key) => key.access_key_id}
        filter={list.filter}
        empty={list.emptyFiltered ?? { title: t("keys.empty"), text: t("keys.empty.text") }}
        {...(may("create_access_key") && { selected, onSelect: setSelected })}
        columns={[
          {
            id: "id",
            header: t("keys.id"),
            minWidth: 370,
            cell: (key) => <CopyText text={key.access_key_id} />,
            isRowHeader: true,
          },
          {
            id: "user",
            header: t("keys.user"),
            cell: (key) => <OwnerCell of={key} isAccountShown={list.seesAccounts} />,
          },
          { id: "description", header: t("keys.description"), cell: (key) => key.description || "-" },
          {
            id: "state",
            minWidth: 130,
            header: t("users.state"),
            cell: (key) =>
              key.is_disabled ? (
                <StatusIndicator type="stopped">{t("users.disabled")}</StatusIndicator>
              ) : (
                <StatusIndicator type="success">{t("users.enabled")}</StatusIndicator>
              ),
          },
          {
            id: "created",
            header: t("users.created"),
            minWidth: 110,
            cell: (key) => <RelativeTime at={key.created_at} isShort />,
          },
          {
            id: "used",
            minWidth: 110,
            header: t("keys.used"),
            cell: (key) => (key.last_used_at ? <RelativeTime at={key.last_used_at} isShort /> : t("keys.never")),
          },
        ]}
        actions={
          may("create_access_key") && (
            <SpaceBetween direction="horizontal" size="xs">
              <Button
                disabled={!selected}
                onClick={() => {
                  setAsked("toggle");
                }}
              >
                {t(selected?.is_disabled ? "users.enable" : "users.disable")}
              </Button>
              <Button
                disabled={!selected?.is_disabled}
                {...(selected && !selected.is_disabled && { disabledReason: t("keys.delete.hint") })}
                onClick={() => {
                  setAsked("delete");
                }}
              >
                {t("keys.delete")}
              </Button>
              <Button
                variant="primary"
                onClick={() => {
                  setAsked("create");
                }}
              >
                {t("keys.create")}
              </Button>
            </SpaceBetween>
          )
        }
      />
      {asked === "create" && (
        <CreateKey
          onClose={close}
          onMade={(made) => {
            close();
            setFresh(made);
          }}
        />
      )}
      {asked === "toggle" && selected && <ToggleKey chosen={selected} onClose={close} />}
      {asked === "delete" && selected && (
        <DeleteKey
          chosen={selected}
          onClose={close}
          onDone={() => {
            close();
            setSelected(null);
          }}
        />
      )}
      {fresh && (
        <SecretModal
          title={t("keys.made")}
          shown={[
            { label: t("keys.id"), value: fresh.access_key.access_key_id },
            { label: t("keys.secret"), value: fresh.secret_access_key },
          ]}
          onClose={() => {
            setFresh(null);
          }}
        />
      )}
    </>
  );
}

function CreateKey({ onClose, onMade }: { onClose: () => void; onMade: (made: Schemas["NewAccessKeyView"]) => void }) {
  const t = useT();
  const api = useApi();
  const queries = useQueryClient();
  const [user, setUser] = useState(useSession().data?.user ?? "");
  const [description, setDescription] = useState("");
  const create = useMutation({
    mutationFn: () => told(api.POST("/access-keys", { body: { user, description } })),
    onSuccess: (made) => {
      onMade(made); // what is told once comes first
      return queries.invalidateQueries({ queryKey: ["access-keys"] });
    },
  });
  return (
    <FormModal
      title={t("keys.create")}
      action={t("keys.create.do")}
      isPending={create.isPending}
      error={create.error}
      isShown={({ path }) => path === "description"}
      onSubmit={create.mutate}
      onClose={onClose}
    >
      <UserSelect value={user} onChange={setUser} />
      <FormField
        label={t("keys.description")}
        description={t("keys.description.text")}
        errorText={errorTextOf(create.error, "description")}
      >
        <Input
          value={description}
          onChange={({ detail }) => {
            setDescription(detail.value);
          }}
        />
      </FormField>
    </FormModal>
  );
}

function ToggleKey({ chosen, onClose }: { chosen: Key; onClose: () => void }) {
  const t = useT();
  const api = useApi();
  const key = chosen.is_disabled ? "users.enable" : "users.disable";
  const params = { path: { access_key_id: chosen.access_key_id } };
  return (
    <ConfirmedCall
      title={t(key)}
      action={t(`${key}.do`)}
      effect={t(chosen.is_disabled ? "keys.enable.effect" : "keys.disable.effect", {
        id: chosen.access_key_id,
        user: chosen.user,
      })}
      queryKey={["access-keys"]}
      call={() =>
        told(api.PATCH("/access-keys/{access_key_id}", { params, body: { is_disabled: !chosen.is_disabled } }))
      }
      onDone={onClose}
      onClose={onClose}
    />
  );
}

function DeleteKey({ chosen, onClose, onDone }: { chosen: Key; onClose: () => void; onDone: () => void }) {
  const t = useT();
  const api = useApi();
  const params = { path: { access_key_id: chosen.access_key_id } };
  return (
    <ConfirmedCall
      title={t("keys.delete.do")}
      action={t("keys.delete.do")}
      effect={t("keys.delete.effect", { id: chosen.access_key_id, user: chosen.user })}
      queryKey={["access-keys"]}
      call={() => told(api.DELETE("/access-keys/{access_key_id}", { params }))}
      onDone={onDone}
      onClose={onClose}
    />
  );
}
