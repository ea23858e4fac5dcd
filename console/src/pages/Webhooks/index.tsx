import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ButtonDropdown from "@cloudscape-design/components/button-dropdown";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { told } from "../../api/client";
import { useApi } from "../../api/context";
import { useMay } from "../../api/queries";
import type { Schemas } from "../../api/types";
import { ConfirmedCall } from "../../components/ConfirmedCall";
import { useFlashes } from "../../components/flashes";
import { ResourceTable } from "../../components/ResourceTable";
import { SecretModal } from "../../components/SecretModal";
import { Page } from "../../components/Shell";
import { useSpeech, useT } from "../../i18n";
import { CreateWebhook } from "./CreateWebhook";
import { Deliveries } from "./Deliveries";

type Webhook = Schemas["WebhookView"];
type Asked = "create" | "toggle" | "rotate" | "delete" | null;

/** Addresses that are told of jobs' changes of status, and what was sent to them. */
export function Webhooks() {
  const { t, language } = useSpeech();
  const words = new Intl.ListFormat(language);
  const may = useMay();
  const api = useApi();
  const [selected, setSelected] = useState<Webhook | null>(null);
  const [asked, setAsked] = useState<Asked>(null);
  const [secret, setSecret] = useState<{ name: string; secret: string } | null>(null);
  const test = useTest();
  const { flash } = useFlashes();
  const close = () => {
    setAsked(null);
  };
  const keep = (made: Schemas["WebhookMadeView"]) => {
    close();
    setSelected(null);
    setSecret(made);
  };
  const made = (webhook: Schemas["WebhookMadeView"], isOwn: boolean) => {
    if (!isOwn) {
      keep(webhook);
      return;
    }
    close();
    flash({ type: "success", content: ({ t }) => t("webhooks.made", { name: webhook.name }) });
  };
  return (
    <Page title={t("nav.webhooks")} crumbs={[{ text: t("nav.title"), to: "/jobs" }, { text: t("nav.webhooks") }]}>
      <SpaceBetween size="l">
        <ResourceTable
          level="h1"
          title={t("nav.webhooks")}
          description={t("webhooks.text")}
          queryKey={["webhooks"]}
          load={async () => ({ ...(await told(api.GET("/webhooks"))), next_cursor: null })}
          idOf={(webhook) => webhook.name}
          empty={{ title: t("webhooks.empty"), text: t("webhooks.empty.text") }}
          selected={selected}
          onSelect={setSelected}
          columns={[
            { id: "name", header: t("webhooks.name"), cell: (webhook) => webhook.name, isRowHeader: true },
            { id: "url", header: t("webhooks.url"), cell: (webhook) => <span className="mono">{webhook.url}</span> },
            {
              id: "statuses",
              header: t("webhooks.statuses"),
              cell: (webhook) =>
                webhook.statuses.length === 0
                  ? t("webhooks.statuses.all")
                  : words.format(webhook.statuses.map((status) => t(`status.${status}`))),
            },
            {
              id: "state",
              header: t("users.state"),
              minWidth: 130,
              cell: (webhook) => <WebhookState webhook={webhook} />,
            },
            {
              id: "origin",
              minWidth: 110,
              header: t("origin.title"),
              cell: (webhook) => t(webhook.is_declared ? "origin.settings" : "origin.service"),
            },
          ]}
          actions={
            may("create_webhook") && (
              <SpaceBetween direction="horizontal" size="xs">
                <Button
                  disabled={!selected}
                  loading={test.isPending}
                  onClick={() => {
                    if (selected) test.mutate(selected.name);
                  }}
                >
                  {t("webhooks.test")}
                </Button>
                <ButtonDropdown
                  disabled={!selected || selected.is_declared}
                  {...(selected?.is_declared && { disabledReason: t("origin.hint") })}
                  items={[
                    { id: "toggle", text: t(selected?.is_enabled ? "users.disable" : "users.enable") },
                    { id: "rotate", text: t("webhooks.rotate") },
                    { id: "delete", text: t("webhooks.delete") },
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
                  {t("webhooks.create")}
                </Button>
              </SpaceBetween>
            )
          }
        />
        {test.data && <Tested tested={test.data} name={test.variables ?? ""} />}
        {selected && <Deliveries key={selected.name} webhook={selected.name} />}
      </SpaceBetween>
      {asked === "create" && <CreateWebhook onClose={close} onMade={made} />}
      {asked === "toggle" && selected && <Toggle webhook={selected} onClose={close} />}
      {asked === "rotate" && selected && <Rotate webhook={selected} onClose={close} onMade={keep} />}
      {asked === "delete" && selected && (
        <Delete
          webhook={selected}
          onClose={close}
          onDone={() => {
            close();
            setSelected(null);
          }}
        />
      )}
      {secret && (
        <SecretModal
          title={t("webhooks.secret-of", { name: secret.name })}
          shown={[{ label: t("webhooks.secret"), value: secret.secret }]}
          onClose={() => {
            setSecret(null);
          }}
        />
      )}
    </Page>
  );
}

function WebhookState({ webhook }: { webhook: Webhook }) {
  const { t, retold } = useSpeech();
  if (webhook.is_enabled) return <StatusIndicator type="success">{t("users.enabled")}</StatusIndicator>;
  return (
    <>
      <StatusIndicator type={webhook.disabled_reason ? "error" : "stopped"}>{t("users.disabled")}</StatusIndicator>
      <Box fontSize="body-s">{retold(webhook.disabled_reason)}</Box>
    </>
  );
}

function useTest() {
  const api = useApi();
  const { flash } = useFlashes();
  return useMutation({
    mutationFn: (name: string) =>
      told(api.POST("/webhooks/{webhook_name}/test", { params: { path: { webhook_name: name } } })),
    onError: (error, name) => {
      flash({
        type: "error",
        header: ({ t }) => t("webhooks.test.failed", { name }),
        content: ({ retold }) => retold(error.message),
      });
    },
  });
}

function Tested({ tested, name }: { tested: Schemas["WebhookTestView"]; name: string }) {
  const { t, retold } = useSpeech();
  const status = tested.http_status ?? "-";
  return (
    <Alert type={tested.is_taken ? "success" : "error"}>
      {tested.is_taken
        ? t("webhooks.test.taken", { name, status })
        : `${t("webhooks.test.failed", { name })} ${retold(tested.problem)}`}
    </Alert>
  );
}

interface OfWebhook {
  webhook: Webhook;
  onClose: () => void;
}

function Toggle({ webhook, onClose }: OfWebhook) {
  const t = useT();
  const api = useApi();
  const key = webhook.is_enabled ? "users.disable" : "users.enable";
  const params = { path: { webhook_name: webhook.name } };
  return (
    <ConfirmedCall
      title={t(key)}
      action={t(`${key}.do`)}
      effect={t(webhook.is_enabled ? "webhooks.disable.effect" : "webhooks.enable.effect", { name: webhook.name })}
      queryKey={["webhooks"]}
      call={() =>
        told(
          webhook.is_enabled
            ? api.POST("/webhooks/{webhook_name}/disable", { params })
            : api.POST("/webhooks/{webhook_name}/enable", { params }),
        )
      }
      onDone={onClose}
      onClose={onClose}
    />
  );
}

function Rotate({ webhook, onClose, onMade }: OfWebhook & { onMade: (made: Schemas["WebhookMadeView"]) => void }) {
  const t = useT();
  const api = useApi();
  const params = { path: { webhook_name: webhook.name } };
  return (
    <ConfirmedCall
      title={t("webhooks.rotate")}
      action={t("webhooks.rotate.do")}
      effect={t("webhooks.rotate.effect", { name: webhook.name })}
      queryKey={["webhooks"]}
      call={() => told(api.POST("/webhooks/{webhook_name}/rotate-secret", { params }))}
      onDone={onMade}
      onClose={onClose}
    />
  );
}

function Delete({ webhook, onClose, onDone }: OfWebhook & { onDone: () => void }) {
  const t = useT();
  const api = useApi();
  const params = { path: { webhook_name: webhook.name } };
  return (
    <ConfirmedCall
      title={t("webhooks.delete.do")}
      action={t("webhooks.delete.do")}
      effect={t("webhooks.delete.effect", { name: webhook.name })}
      queryKey={["webhooks"]}
      call={() => told(api.DELETE("/webhooks/{webhook_name}", { params }))}
      onDone={onDone}
      onClose={onClose}
    />
  );
}
