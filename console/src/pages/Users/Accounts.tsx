import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { told } from "../../api/client";
import { useApi } from "../../api/context";
import type { Schemas } from "../../api/types";
import { ConfirmModal } from "../../components/ConfirmModal";
import { CopyText } from "../../components/CopyText";
import { errorTextOf } from "../../components/faults";
import { FormModal } from "../../components/FormModal";
import { RelativeTime } from "../../components/RelativeTime";
import { ResourceTable } from "../../components/ResourceTable";
import { useT } from "../../i18n";

type Account = Schemas["AccountView"];
const FIELDS = ["name", "uin", "appid", "aws_account_id"] as const;

/** Tenants: each has its own jobs, users, keys and roles. For who runs the service. */
export function Accounts() {
  const t = useT();
  const api = useApi();
  const [selected, setSelected] = useState<Account | null>(null);
  const [asked, setAsked] = useState<"create" | "toggle" | null>(null);
  const close = () => {
    setAsked(null);
  };
  return (
    <>
      <ResourceTable
        title={t("accounts.title")}
        description={t("accounts.text")}
        queryKey={["accounts"]}
        load={(cursor) => told(api.GET("/accounts", { params: { query: { cursor, limit: 100 } } }))}
        idOf={(account) => account.name}
        empty={{ title: t("accounts.empty") }}
        selected={selected}
        onSelect={setSelected}
        columns={[
          { id: "name", header: t("accounts.name"), cell: (account) => account.name, isRowHeader: true },
          { id: "uin", header: t("accounts.uin"), cell: (account) => <CopyText text={account.uin} /> },
          { id: "appid", header: t("accounts.appid"), cell: (account) => <CopyText text={account.appid} /> },
          {
            id: "aws",
            header: t("accounts.aws_account_id"),
            cell: (account) => <CopyText text={account.aws_account_id} />,
          },
          {
            id: "state",
            minWidth: 130,
            header: t("users.state"),
            cell: (account) =>
              account.is_disabled ? (
                <StatusIndicator type="stopped">{t("users.disabled")}</StatusIndicator>
              ) : (
                <StatusIndicator type="success">{t("users.enabled")}</StatusIndicator>
              ),
          },
          {
            id: "created",
            header: t("users.created"),
            minWidth: 130,
            cell: (account) => <RelativeTime at={account.created_at} />,
          },
          {
            id: "origin",
            header: t("origin.title"),
            cell: (account) => t(account.is_declared ? "origin.settings" : "origin.service"),
          },
        ]}
        actions={
          <SpaceBetween direction="horizontal" size="xs">
            <Button
              disabled={!selected || selected.is_declared}
              {...(selected?.is_declared && { disabledReason: t("origin.hint") })}
              onClick={() => {
                setAsked("toggle");
              }}
            >
              {t(selected?.is_disabled ? "users.enable" : "users.disable")}
            </Button>
            <Button
              variant="primary"
              onClick={() => {
                setAsked("create");
              }}
            >
              {t("accounts.create")}
            </Button>
          </SpaceBetween>
        }
      />
      {asked === "create" && <CreateAccount onClose={close} />}
      {asked === "toggle" && selected && <ToggleAccount account={selected} onClose={close} />}
    </>
  );
}

function CreateAccount({ onClose }: { onClose: () => void }) {
  const t = useT();
  const api = useApi();
  const queries = useQueryClient();
  const [form, setForm] = useState({ name: "", uin: "", appid: "", aws_account_id: "" });
  const create = useMutation({
    mutationFn: () => told(api.POST("/accounts", { body: form })),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ["accounts"] });
      onClose();
    },
  });
  return (
    <FormModal
      title={t("accounts.create")}
      action={t("accounts.create.do")}
      isPending={create.isPending}
      error={create.error}
      isShown={({ path }) => FIELDS.some((field) => field === path)}
      isDisabled={form.name === ""}
      onSubmit={create.mutate}
      onClose={onClose}
    >
      {FIELDS.map((field) => (
        <FormField
          key={field}
          label={t(`accounts.${field}`)}
          description={t(`accounts.${field}.text`)}
          errorText={errorTextOf(create.error, field)}
        >
          <Input
            value={form[field]}
            autoComplete={false}
            onChange={({ detail }) => {
              setForm({ ...form, [field]: detail.value });
            }}
          />
        </FormField>
      ))}
    </FormModal>
  );
}

function ToggleAccount({ account, onClose }: { account: Account; onClose: () => void }) {
  const t = useT();
  const api = useApi();
  const queries = useQueryClient();
  const key = account.is_disabled ? "users.enable" : "users.disable";
  const toggle = useMutation({
    mutationFn: () =>
      told(
        api.PATCH("/accounts/{account}", {
          params: { path: { account: account.name } },
          body: { is_disabled: !account.is_disabled },
        }),
      ),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ["accounts"] });
      onClose();
    },
  });
  return (
    <ConfirmModal
      title={t(key)}
      action={t(`${key}.do`)}
      isPending={toggle.isPending}
      error={toggle.error}
      onConfirm={toggle.mutate}
      onClose={onClose}
    >
      {t(account.is_disabled ? "accounts.enable.effect" : "accounts.disable.effect", { name: account.name })}
    </ConfirmModal>
  );
}
