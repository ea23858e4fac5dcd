import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useEffect } from "react";
import { Navigate, useNavigate, useSearchParams } from "react-router";

import { useSession } from "../api/queries";
import { PasswordForm } from "../components/PasswordForm";
import { nextOf, useLogOut } from "../components/session";
import { OpenTopBar } from "../components/TopBar";
import { useT } from "../i18n";

/** The first thing that somebody sees who logged in with a password that was given to them. */
export function Password() {
  const t = useT();
  const session = useSession();
  const navigate = useNavigate();
  const [search] = useSearchParams();
  const logOut = useLogOut();
  useEffect(() => {
    document.title = `${t("password.title")} - cosbatch`;
  }, [t]);
  if (session.data === null) return <Navigate to="/login" replace />;
  return (
    <>
      <OpenTopBar />
      <main className="login">
        <Container
          header={
            <Header
              variant="h1"
              actions={
                <Button
                  variant="inline-link"
                  onClick={() => {
                    logOut.mutate();
                  }}
                >
                  {t("session.log-out")}
                </Button>
              }
            >
              {t("password.title")}
            </Header>
          }
        >
          <SpaceBetween size="l">
            {logOut.isError && <Alert type="error">{t("session.log-out.failed")}</Alert>}
            {session.data?.must_change_password && <Alert type="info">{t("password.first")}</Alert>}
            <PasswordForm onChanged={() => void navigate(nextOf(search), { replace: true })} />
          </SpaceBetween>
        </Container>
      </main>
    </>
  );
}
