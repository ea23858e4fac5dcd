import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useState } from "react";

import { type Api, createApi } from "./client";
import { mayPass, pauseAskedFor } from "./errors";

const ApiContext = createContext<Api | null>(null);
const RETRIES_MAX = 2;
/** Who has to wait for longer is told so at once. */
const PATIENCE_MS = 5_000;

interface ApiProviderProps {
  api?: Api;
  queries?: QueryClient;
  children: ReactNode;
}

export function ApiProvider(props: ApiProviderProps) {
  const { children } = props;
  const [own] = useState(() => props.api ?? createApi());
  const [queries] = useState(() => props.queries ?? createQueryClient());
  return (
    <ApiContext.Provider value={own}>
      <QueryClientProvider client={queries}>{children}</QueryClientProvider>
    </ApiContext.Provider>
  );
}

export function useApi(): Api {
  const api = useContext(ApiContext);
  if (!api) throw new Error("useApi outside of ApiProvider");
  return api;
}

export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 1_000,
        refetchOnWindowFocus: true,
        networkMode: "always",
        retry: (failures, error) => failures < RETRIES_MAX && mayPass(error) && pauseAskedFor(error) <= PATIENCE_MS,
        retryDelay: (failures, error) => Math.max(1_000 * 2 ** failures, pauseAskedFor(error)),
      },
      mutations: { retry: false, networkMode: "always" },
    },
  });
}
