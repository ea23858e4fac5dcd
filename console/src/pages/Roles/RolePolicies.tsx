import ExpandableSection from "@cloudscape-design/components/expandable-section";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { told } from "../../api/client";
import { useApi } from "../../api/context";
import type { ListedJob, Role } from "../../api/types";
import { errorTextOf } from "../../components/faults";
import { FormModal } from "../../components/FormModal";
import { roleName } from "../../components/roleNames";
import { useT } from "../../i18n";
import { JobPicker, useDocumentOf } from "./JobPicker";
import { Policies } from "./PolicyText";
import { takesSts } from "./roleForm";

const FIELDS = ["source_bucket", "principal"] as const;

/** Writes what a role has to be allowed for one of the jobs, and no more, in its provider's language. */
export function RolePolicies({ role, onClose }: { role: Role; onClose: () => void }) {
  const t = useT();
  const api = useApi();
  const documentOf = useDocumentOf();
  const [job, setJob] = useState<ListedJob | null>(null);
  const [fields, setFields] = useState({ source_bucket: "", principal: "" });
  const write = useMutation({
    mutationFn: async (listed: ListedJob) =>
      told(
        api.POST("/roles:policies", {
          body: {
            role_arn: role.role_arn,
            provider: role.provider,
            job: await documentOf(listed),
            source_bucket: fields.source_bucket.trim(),
            principal: fields.principal.trim(),
            external_id: role.provider_details?.external_id ?? "",
          },
        }),
      ),
  });
  const shown = takesSts(role.provider) ? FIELDS : FIELDS.slice(0, 1);
  return (
    <FormModal
      title={t("roles.policies-of", { name: roleName(role.role_arn) })}
      action={t("roles.policies.do")}
      leave={t("action.close")}
      size="large"
      isPending={write.isPending}
      error={write.error}
      isShown={({ path }) => path in fields}
      isDisabled={!job}
      onSubmit={() => {
        if (job) write.mutate(job);
      }}
      onClose={onClose}
    >
      <JobPicker
        description={t("roles.policies.job")}
        value={job}
        onChange={(chosen) => {
          setJob(chosen);
          write.reset();
        }}
      />
      <ExpandableSection headerText={t("roles.more")}>
        <SpaceBetween size="m">
          {shown.map((name) => (
            <FormField
              key={name}
              stretch
              label={t(`roles.field.${name}`)}
              description={t(`roles.field.${name}.text`)}
              errorText={errorTextOf(write.error, name)}
            >
              <Input
                value={fields[name]}
                autoComplete={false}
                spellcheck={false}
                onChange={({ detail }) => {
                  setFields({ ...fields, [name]: detail.value });
                  write.reset();
                }}
              />
            </FormField>
          ))}
        </SpaceBetween>
      </ExpandableSection>
      <div aria-live="polite">{write.data && <Policies policies={write.data} provider={role.provider} />}</div>
    </FormModal>
  );
}
