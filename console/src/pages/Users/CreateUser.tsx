import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { told } from "../../api/client";
import { useApi } from "../../api/context";
import type { Schemas } from "../../api/types";
import { errorTextOf } from "../../components/faults";
import { FormModal } from "../../components/FormModal";
import { OptionalLabel } from "../../components/OptionalLabel";
import { useT } from "../../i18n";
import { AccountSelect } from "./AccountSelect";
import { RightChoice } from "./RightChoice";

interface CreateUserProps {
  onClose: () => void;
  /** With the password, where the service has drawn one. */
  onMade: (made: Schemas["NewUserView"]) => void;
}

export function CreateUser({ onClose, onMade }: CreateUserProps) {
  const t = useT();
  const api = useApi();
  const queries = useQueryClient();
  const [name, setName] = useState("");
  const [account, setAccount] = useState<string | null>(null);
  const [role, setRole] = useState<Schemas["UserRole"]>("viewer");
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const [isAsked, setAsked] = useState(false);
  const create = useMutation({
    mutationFn: () => told(api.POST("/users", { body: { name, role, account, password } })),
    onSuccess: (made) => {
      onMade(made); // what is told once comes first
      return queries.invalidateQueries({ queryKey: ["users"] });
    },
  });
  const isUnlike = password !== "" && password !== again;
  return (
    <FormModal
      title={t("users.create")}
      action={t("users.create.do")}
      isPending={create.isPending}
      error={create.error}
      isShown={({ path }) => path === "name" || path === "password"}
      isDisabled={name === ""}
      onSubmit={() => {
        setAsked(true);
        if (!isUnlike) create.mutate();
      }}
      onClose={onClose}
    >
      <FormField
        label={t("users.name")}
        description={t("users.name.text")}
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
      <RightChoice value={role} onChange={setRole} />
      <AccountSelect value={account} onChange={setAccount} />
      <FormField
        label={<OptionalLabel text={t("users.first-password")} />}
        description={t("users.first-password.text")}
        errorText={errorTextOf(create.error, "password")}
      >
        <NewPassword value={password} onChange={setPassword} />
      </FormField>
      {password !== "" && (
        <FormField label={t("users.first-password.again")} errorText={isAsked && isUnlike && t("password.unlike")}>
          <NewPassword value={again} onChange={setAgain} />
        </FormField>
      )}
    </FormModal>
  );
}

function NewPassword({ value, onChange }: { value: string; onChange: (password: string) => void }) {
  return (
    <Input
      value={value}
      type="password"
      autoComplete="new-password"
      onChange={({ detail }) => {
        onChange(detail.value);
      }}
    />
  );
}
