import { useMutation, useQueryClient } from "@tanstack/react-query";
import Box from "@cloudscape-design/components/box";
import Spinner from "@cloudscape-design/components/spinner";
import { useEffect } from "react";
import { Navigate, Outlet, useLocation, useNavigate } from "react-router";

import { told } from "../api/client";
import { useApi } from "../api/context";
import { ApiError } from "../api/errors";
import { useSession } from "../api/queries";
import { useT } from "../i18n";
import { ErrorAlert } from "./ErrorAlert";
import { forgetLogin, keepLogin } from "./loggedIn";

/** What is inside is shown to who is logged in and has a password of their own; everybody else is led to the login. */
export function RequireSession() {
  const t = useT();
  const session = useSession();
  const here = useLocation();
  useLeaveWhenExpired();
  const isLetIn = session.data != null && !session.data.must_change_password;
  useEffect(() => {
    if (isLetIn) keepLogin();
  }, [isLetIn]);
  if (session.isPending) {
    return (
      <Box textAlign="center" padding="xxxl">
        <Spinner size="large" /> <span className="unseen">{t("shell.loading")}</span>
      </Box>
    );
  }
  if (session.isError && session.data === undefined) {
    return (
      <div className="login">
        <ErrorAlert error={session.error} onRetry={() => void session.refetch()} />
      </div>
    );
  }
  const next = here.pathname + here.search + here.hash;
  if (!session.data) return <Navigate to={`/login?next=${encodeURIComponent(next)}`} replace />;
  if (session.data.must_change_password) {
    return <Navigate to={`/password?next=${encodeURIComponent(next)}`} replace />;
  }
  return <Outlet />;
}

function isExpired(error: unknown): boolean {
  return error instanceof ApiError && error.status === 401;
}

/** A call that is answered 401 ends the session here too. */
function useLeaveWhenExpired() {
  const queries = useQueryClient();
  useEffect(() => {
    const forget = () => {
      if (queries.getQueryData(["session"])) queries.setQueryData(["session"], null);
    };
    const ends = [
      queries.getQueryCache().subscribe((event) => {
        if (event.type === "updated" && event.action.type === "error" && isExpired(event.action.error)) forget();
      }),
      queries.getMutationCache().subscribe((event) => {
        if (event.type === "updated" && event.action.type === "error" && isExpired(event.action.error)) forget();
      }),
    ];
    return () => {
      for (const end of ends) end();
    };
  }, [queries]);
}

/** Leads to the login once the service has ended the session; where it has not, the user is still logged in, and stays. */
export function useLogOut() {
  const api = useApi();
  const queries = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: async () => {
      try {
        await told(api.DELETE("/session"));
      } catch (error) {
        if (!isExpired(error)) throw error;
      }
    },
    onSuccess: async () => {
      api.rememberSession(null);
      forgetLogin();
      await navigate("/login");
      queries.clear();
    },
  });
}

/** Where to go behind the login: a path of the console, and of nothing else. */
export function nextOf(search: URLSearchParams): string {
  const next = search.get("next") ?? "";
  return next.startsWith("/") && !next.startsWith("//") && !next.startsWith("/login") ? next : "/jobs";
}
