import { useRouteError } from "react-router";

import { useT } from "../i18n";
import { ErrorAlert } from "./ErrorAlert";

/** In place of a page that broke: what broke, and a way on. */
export function BrokenPage() {
  const t = useT();
  const error = useRouteError();
  return (
    <div className="login">
      <ErrorAlert
        error={error}
        header={t("error.page")}
        onRetry={() => {
          globalThis.location.reload();
        }}
      />
    </div>
  );
}
