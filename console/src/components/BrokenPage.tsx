import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useRouteError } from "react-router";

import { useT } from "../i18n";
import { ErrorAlert } from "./ErrorAlert";
import { MissingPart } from "./part";
import { Page } from "./Shell";

/** In place of a page that broke, where there is nothing around it: what broke, and a way on. */
export function BrokenPage() {
  return (
    <div className="login">
      <WhatBroke />
    </div>
  );
}

/** The same in the frame of the console, from which one gets elsewhere. */
export function BrokenContent() {
  const t = useT();
  const title = t(useRouteError() instanceof MissingPart ? "error.page.missing" : "error.page");
  return (
    <Page title={title}>
      <SpaceBetween size="l">
        <Header variant="h1">{title}</Header>
        <WhatBroke hasTitle />
      </SpaceBetween>
    </Page>
  );
}

/** `hasTitle`: what kind of thing has happened is said above. */
function WhatBroke({ hasTitle = false }: { hasTitle?: boolean }) {
  const t = useT();
  const error = useRouteError();
  if (!(error instanceof MissingPart)) {
    return <ErrorAlert error={error} onRetry={reload} {...(!hasTitle && { header: t("error.page") })} />;
  }
  return (
    <Alert
      type="error"
      header={!hasTitle && t("error.page.missing")}
      action={<Button onClick={reload}>{t("error.page.reload")}</Button>}
    >
      {t("error.page.missing.text")}
    </Alert>
  );
}

function reload(): void {
  globalThis.location.reload();
}
