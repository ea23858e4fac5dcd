import "./theme.css";
import "virtual:theme.css";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { RouterProvider } from "react-router";

import { askAhead } from "./ahead";
import { createApi } from "./api/client";
import { ApiProvider, createQueryClient } from "./api/context";
import { Appearance } from "./components/Appearance";
import { FlashProvider } from "./components/flashes";
import { LiveProvider } from "./components/live";
import { SpeechProvider } from "./i18n";
import { PreferencesProvider } from "./preferences";
import { reloadAfterUpgrade } from "./reload";
import { createRouter } from "./routes";

reloadAfterUpgrade(window);

const root = document.getElementById("root");
if (root) {
  const api = createApi();
  const queries = createQueryClient();
  askAhead(api, queries, globalThis.location);
  createRoot(root).render(
    <StrictMode>
      <PreferencesProvider>
        <Appearance />
        <SpeechProvider>
          <ApiProvider api={api} queries={queries}>
            <LiveProvider>
              <FlashProvider>
                <RouterProvider router={createRouter()} />
              </FlashProvider>
            </LiveProvider>
          </ApiProvider>
        </SpeechProvider>
      </PreferencesProvider>
    </StrictMode>,
  );
}
