import Button from "@cloudscape-design/components/button";
import Form from "@cloudscape-design/components/form";
import FormField from "@cloudscape-design/components/form-field";
import Input, { type InputProps } from "@cloudscape-design/components/input";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";

import { told } from "../api/client";
import { useApi } from "../api/context";
import { ApiError } from "../api/errors";
import { useSession } from "../api/queries";
import { useT } from "../i18n";
import { ErrorAlert, FaultText } from "./ErrorAlert";

/** Changes the own password. Whether a new one is good enough is the service's to say. */
export function PasswordForm({ onChanged }: { onChanged: () => void }) {
  const t = useT();
  const user = useSession().data?.user ?? "";
  const [present, setPresent] = useState("");
  const [next, setNext] = useState("");
  const [again, setAgain] = useState("");
  const [isAsked, setAsked] = useState(false);
  const change = useChangePassword(user);
  const isUnlike = isAsked && next !== again;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setAsked(true);
    if (!present || !next || next !== again) return;
    change.mutate(
      { password: present, new_password: next },
      {
        onSuccess: () => {
          setPresent("");
          setNext("");
          setAgain("");
          setAsked(false);
          onChanged();
        },
      },
    );
  };
  const faultOf = (path: string) =>
    change.error instanceof ApiError ? change.error.faults.find((fault) => fault.path === path) : undefined;
  const field = (
    label: string,
    value: string,
    set: (value: string) => void,
    autoComplete: InputProps["autoComplete"],
    path: string,
  ) => {
    const fault = faultOf(path);
    const isMissing = isAsked && value === "";
    const isWrongAgain = path === "again" && isUnlike;
    return (
      <FormField
        label={label}
        errorText={
          (isMissing && t("form.required")) ||
          (isWrongAgain && t("password.unlike")) ||
          (fault && <FaultText fault={fault} />)
        }
      >
        <Input
          type="password"
          value={value}
          autoComplete={autoComplete}
          onChange={({ detail }) => {
            set(detail.value);
          }}
        />
      </FormField>
    );
  };
  return (
    <form onSubmit={submit}>
      <input className="unseen" type="text" autoComplete="username" value={user} readOnly aria-hidden tabIndex={-1} />
      <Form
        actions={
          <Button variant="primary" formAction="submit" loading={change.isPending}>
            {t("password.do")}
          </Button>
        }
      >
        <SpaceBetween size="l">
          {change.error && (
            <ErrorAlert
              error={change.error}
              header={t("password.failed")}
              isShown={(fault) => fault.path.endsWith("password")}
            />
          )}
          {field(t("password.present"), present, setPresent, "current-password", "password")}
          {field(t("password.new"), next, setNext, "new-password", "new_password")}
          {field(t("password.again"), again, setAgain, "new-password", "again")}
        </SpaceBetween>
      </Form>
    </form>
  );
}

/** Changing it ends all sessions of the user, this one too: whoever sits here is logged in again with the new one. */
function useChangePassword(user: string) {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (body: { password: string; new_password: string }) => {
      await told(api.PUT("/session/password", { body }));
      try {
        return await told(api.POST("/session", { body: { user, password: body.new_password } }));
      } catch {
        return null; // it is changed all the same: the login is where to try again
      }
    },
    onSuccess: (session) => {
      api.rememberSession(session ?? null);
      queries.setQueryData(["session"], session);
    },
  });
}
