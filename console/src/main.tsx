import "./theme.css";
import "virtual:theme.css";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { RouterProvider } from "react-router";

import { ApiProvider } from "./api/context";
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
  createRoot(root).render(
    <StrictMode>
      <PreferencesProvider>
        <Appearance />
        <SpeechProvider>
          <ApiProvider>
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
