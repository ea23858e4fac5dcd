import { useQuery } from "@tanstack/react-query";

import { told } from "./client";
import { useApi } from "./context";
import { useMay, useSession } from "./queries";
import { allPages } from "./stores";

/** All accounts, to choose from: for who runs the service; everybody else has one, and asks for none. */
export function useAccounts() {
  const api = useApi();
  return useQuery({
    queryKey: ["accounts", "choice"],
    enabled: useSession().data?.is_service_operator ?? false,
    queryFn: () => allPages((page) => told(api.GET("/accounts", { params: { query: page } }))),
  });
}

/** The users of an account, to choose from; of an empty one all that the caller sees. Asked for administrators only. */
export function useUsers(account = "") {
  const api = useApi();
  return useQuery({
    queryKey: ["users", "choice", account],
    enabled: useMay()("list_users"),
    queryFn: () =>
      allPages((page) => told(api.GET("/users", { params: { query: { ...page, ...(account && { account }) } } }))),
  });
}
