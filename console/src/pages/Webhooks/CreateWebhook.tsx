import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import Multiselect from "@cloudscape-design/components/multiselect";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { told } from "../../api/client";
import { useApi } from "../../api/context";
import { useCapabilities } from "../../api/queries";
import type { JobStatus, Schemas } from "../../api/types";
import { errorTextOf } from "../../components/faults";
import { FormModal } from "../../components/FormModal";
import { OptionalLabel } from "../../components/OptionalLabel";
import { useT } from "../../i18n";

interface CreateWebhookProps {
  onClose: () => void;
  /** `isOwn`: the secret is one that the user has given, and knows. */
  onMade: (made: Schemas["WebhookMadeView"], isOwn: boolean) => void;
}

export function CreateWebhook({ onClose, onMade }: CreateWebhookProps) {
  const t = useT();
  const api = useApi();
  const queries = useQueryClient();
  const known = useCapabilities().data?.statuses ?? [];
  const [name, setName] = useState("");
  const [url, setUrl] = useState("");
  const [secret, setSecret] = useState("");
  const [statuses, setStatuses] = useState<readonly JobStatus[]>([]);
  const create = useMutation({
    mutationFn: () => told(api.POST("/webhooks", { body: { name, url, statuses: [...statuses], secret } })),
    onSuccess: (made) => {
      onMade(made, secret !== ""); // what is told once comes first
      return queries.invalidateQueries({ queryKey: ["webhooks"] });
    },
  });
  const options = known.map(({ status }) => ({ value: status, label: t(`status.${status}`) }));
  return (
    <FormModal
      title={t("webhooks.create")}
      action={t("webhooks.create.do")}
      isPending={create.isPending}
      error={create.error}
      isShown={({ path }) => ["name", "url", "secret"].includes(path)}
      isDisabled={name === "" || url === ""}
      onSubmit={create.mutate}
      onClose={onClose}
    >
      <FormField
        label={t("webhooks.name")}
        description={t("webhooks.name.text")}
        errorText={errorTextOf(create.error, "name")}
      >
        <Input
          value={name}
          autoComplete={false}
          onChange={({ detail }) => {
            setName(detail.value);
          }}
        />
      </FormField>
      <FormField
        label={t("webhooks.url")}
        description={t("webhooks.url.text")}
        errorText={errorTextOf(create.error, "url")}
      >
        <Input
          value={url}
          type="url"
          inputMode="url"
          autoComplete={false}
          onChange={({ detail }) => {
            setUrl(detail.value);
          }}
        />
      </FormField>
      <FormField label={t("webhooks.statuses")} description={t("webhooks.statuses.text")}>
        <Multiselect
          options={options}
          selectedOptions={options.filter(({ value }) => statuses.includes(value))}
          placeholder={t("webhooks.statuses.all")}
          onChange={({ detail }) => {
            const chosen = detail.selectedOptions.map(({ value }) => value);
            setStatuses(known.map(({ status }) => status).filter((status) => chosen.includes(status)));
          }}
        />
      </FormField>
      <FormField
        label={<OptionalLabel text={t("webhooks.secret")} />}
        description={t("webhooks.secret.text")}
        constraintText={t("webhooks.secret.form")}
        errorText={errorTextOf(create.error, "secret")}
      >
        <Input
          value={secret}
          type="password"
          autoComplete="new-password"
          onChange={({ detail }) => {
            setSecret(detail.value.trim());
          }}
        />
      </FormField>
    </FormModal>
  );
}
