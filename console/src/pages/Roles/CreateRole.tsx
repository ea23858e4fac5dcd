import Autosuggest from "@cloudscape-design/components/autosuggest";
import Checkbox from "@cloudscape-design/components/checkbox";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import FormField from "@cloudscape-design/components/form-field";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Textarea from "@cloudscape-design/components/textarea";
import Tiles from "@cloudscape-design/components/tiles";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { told } from "../../api/client";
import { useApi } from "../../api/context";
import { useMay } from "../../api/queries";
import type { ListedJob, Schemas } from "../../api/types";
import { faultsTextOf } from "../../components/faults";
import { FormModal } from "../../components/FormModal";
import { useT } from "../../i18n";
import { JobPicker, useDocumentOf } from "./JobPicker";
import {
  EMPTY,
  fieldOfFault,
  formOf,
  isComplete,
  isMadeThere,
  PROVIDERS,
  type RoleDraft,
  STS,
  takesSts,
} from "./roleForm";
import { type FieldsProps, TextInput } from "./TextInput";

type Made = Schemas["RoleMadeView"];

/** Registers a role; the keys that are typed in go to the service and are never shown again. */
export function CreateRole({ onClose, onMade }: { onClose: () => void; onMade: (made: Made) => void }) {
  const t = useT();
  const [draft, setDraft] = useState<RoleDraft>(EMPTY);
  const [job, setJob] = useState<ListedJob | null>(null);
  const create = useCreate(onMade);
  const change = (part: Partial<RoleDraft>) => {
    setDraft({ ...draft, ...part });
  };
  const fields = { draft, change, error: create.error };
  return (
    <FormModal
      title={t("roles.create")}
      action={t("roles.create.do")}
      size="large"
      isPending={create.isPending}
      error={create.error}
      isShown={({ path }) => fieldOfFault(path) !== undefined}
      isDisabled={!isComplete(draft, job)}
      onSubmit={() => {
        create.mutate({ draft, job });
      }}
      onClose={onClose}
    >
      <FormField label={t("roles.provider")} description={t("roles.provider.ask")} stretch>
        <Tiles
          columns={3}
          value={draft.provider}
          items={PROVIDERS.map((value) => ({
            value,
            label: t(`roles.provider.${value}`),
            description: t(`roles.provider.${value}.text`),
          }))}
          onChange={({ detail }) => {
            change({ provider: PROVIDERS.find((each) => each === detail.value) ?? "stored" });
          }}
        />
      </FormField>
      <TextInput {...fields} name="role_arn" text={t(`roles.field.role_arn.${draft.provider}`)} />
      <TextInput {...fields} name="description" text={t("roles.field.description.text")} />
      <TextInput {...fields} name="access_key_id" text={t(`roles.field.access_key_id.${draft.provider}`)} />
      <TextInput {...fields} name="secret_access_key" text={t("roles.field.secret_access_key.text")} />
      {draft.provider === "aws-sts" && <EndpointInput {...fields} />}
      <BucketsInput {...fields} />
      <ExpandableSection headerText={t("roles.more")}>
        <SpaceBetween size="m">
          {takesSts(draft.provider) &&
            STS.filter((name) => name !== "sts_endpoint" || draft.provider !== "aws-sts").map((name) => (
              <TextInput key={name} {...fields} name={name} text={t(`roles.field.${name}.text`)} />
            ))}
          <TextInput {...fields} name="session_token" text={t("roles.field.session_token.text")} />
        </SpaceBetween>
      </ExpandableSection>
      {takesSts(draft.provider) && <MakeThere {...fields} job={job} onJob={setJob} />}
    </FormModal>
  );
}

function BucketsInput({ draft, change, error }: FieldsProps) {
  const t = useT();
  return (
    <FormField
      stretch
      label={t("roles.buckets")}
      description={t("roles.field.writable_buckets.text")}
      errorText={faultsTextOf(error, ({ path }) => fieldOfFault(path) === "writable_buckets")}
    >
      <Textarea
        rows={2}
        value={draft.writable_buckets}
        spellcheck={false}
        placeholder={t("roles.buckets.any")}
        onChange={({ detail }) => {
          change({ writable_buckets: detail.value });
        }}
      />
    </FormField>
  );
}

/** The service sends a role's key to the address of a region, or of a cloud, and nowhere else. */
function EndpointInput({ draft, change, error }: FieldsProps) {
  const t = useT();
  const api = useApi();
  const may = useMay();
  const regions = useQuery({
    queryKey: ["regions", "all"],
    enabled: may("list_regions"),
    queryFn: () => told(api.GET("/regions", { params: { query: { limit: 1000 } } })),
  });
  const options = (regions.data?.items ?? []).flatMap(({ name, provider, connection }) =>
    provider === "s3" && connection?.endpoint ? [{ value: connection.endpoint, description: name }] : [],
  );
  return (
    <FormField
      stretch
      label={t("roles.field.sts_endpoint")}
      description={t("roles.field.sts_endpoint.text")}
      errorText={faultsTextOf(error, ({ path }) => fieldOfFault(path) === "sts_endpoint")}
    >
      <Autosuggest
        value={draft.sts_endpoint}
        options={options}
        hideEnteredTextOption
        placeholder={t("roles.endpoint.own")}
        onChange={({ detail }) => {
          change({ sts_endpoint: detail.value });
        }}
      />
    </FormField>
  );
}

interface MakeThereProps extends FieldsProps {
  job: ListedJob | null;
  onJob: (job: ListedJob) => void;
}

function MakeThere({ job, onJob, ...fields }: MakeThereProps) {
  const t = useT();
  const { draft, change } = fields;
  return (
    <SpaceBetween size="m">
      <Checkbox
        checked={draft.isMade}
        description={t("roles.make.text")}
        onChange={({ detail }) => {
          change({ isMade: detail.checked });
        }}
      >
        {t("roles.make")}
      </Checkbox>
      {draft.isMade && <JobPicker description={t("roles.make.job")} value={job} onChange={onJob} />}
      {draft.isMade && <TextInput {...fields} name="source_bucket" text={t("roles.field.source_bucket.text")} />}
      {draft.isMade && <TextInput {...fields} name="principal" text={t("roles.field.principal.text")} />}
    </SpaceBetween>
  );
}

function useCreate(onMade: (made: Made) => void) {
  const api = useApi();
  const queries = useQueryClient();
  const documentOf = useDocumentOf();
  return useMutation({
    mutationFn: async ({ draft, job }: { draft: RoleDraft; job: ListedJob | null }) => {
      const makeFor = job && isMadeThere(draft) ? await documentOf(job) : null;
      return told(api.POST("/roles", { body: formOf(draft, makeFor) }));
    },
    onSuccess: async (made) => {
      await queries.invalidateQueries({ queryKey: ["roles"] });
      onMade(made);
    },
    // What was typed in is kept by the form alone, and for as long as it is open.
    gcTime: 0,
  });
}
