import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Form from "@cloudscape-design/components/form";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useEffect, useState } from "react";
import { useNavigate, useSearchParams } from "react-router";

import { told } from "../api/client";
import { useApi } from "../api/context";
import { ApiError } from "../api/errors";
import { ErrorAlert } from "../components/ErrorAlert";
import { wasLoggedIn } from "../components/loggedIn";
import { nextOf } from "../components/session";
import { OpenTopBar } from "../components/TopBar";
import { useT } from "../i18n";

export function Login() {
  const t = useT();
  const [search] = useSearchParams();
  const [user, setUser] = useState("");
  const [password, setPassword] = useState("");
  const [hasEnded] = useState(wasLoggedIn);
  const logIn = useLogIn();
  useEffect(() => {
    document.title = `${t("login.title")} - cosbatch`;
  }, [t]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (user && password) logIn.mutate({ user, password });
  };
  return (
    <>
      <OpenTopBar />
      <main className="login">
        <form onSubmit={submit}>
          <Form
            actions={
              <Button variant="primary" formAction="submit" loading={logIn.isPending}>
                {t("login.do")}
              </Button>
            }
          >
            <Container header={<Header variant="h1">{t("login.title")}</Header>}>
              <SpaceBetween size="l">
                {search.has("next") && !logIn.error && (
                  <Box color="text-body-secondary">{t(hasEnded ? "login.ended" : "login.why")}</Box>
                )}
                {logIn.error && <Refused error={logIn.error} />}
                <FormField label={t("login.user")}>
                  <Input
                    value={user}
                    autoComplete="username"
                    onChange={({ detail }) => {
                      setUser(detail.value);
                    }}
                  />
                </FormField>
                <FormField label={t("login.password")}>
                  <Input
                    value={password}
                    type="password"
                    autoComplete="current-password"
                    onChange={({ detail }) => {
                      setPassword(detail.value);
                    }}
                  />
                </FormField>
              </SpaceBetween>
            </Container>
          </Form>
        </form>
      </main>
    </>
  );
}

function useLogIn() {
  const api = useApi();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [search] = useSearchParams();
  return useMutation({
    mutationFn: (body: { user: string; password: string }) => told(api.POST("/session", { body })),
    onSuccess: async (session) => {
      queries.clear(); // what another user was told is not for this one
      api.rememberSession(session);
      queries.setQueryData(["session"], session);
      await navigate(nextOf(search), { replace: true });
    },
  });
}

function Refused({ error }: { error: Error }) {
  const t = useT();
  if (error instanceof ApiError && error.status === 401) return <Alert type="error">{t("login.wrong")}</Alert>;
  return <ErrorAlert error={error} header={t("login.failed")} />;
}
