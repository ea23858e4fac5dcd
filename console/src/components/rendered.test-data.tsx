import createWrapper, { type ModalWrapper } from "@cloudscape-design/components/test-utils/dom";
import { render, waitFor } from "@testing-library/react";
import type { ReactNode } from "react";

import { createApi } from "../api/client";
import { ApiProvider } from "../api/context";
import { SpeechProvider } from "../i18n";
import { PreferencesProvider } from "../preferences";
import { FlashProvider, useFlashes } from "./flashes";

/** A part of the console over an API, and above it what is told there (`flashed`). */
export function renderPart(part: ReactNode, fetch: (request: Request) => Promise<Response>): void {
  render(
    <PreferencesProvider>
      <SpeechProvider>
        <ApiProvider api={createApi(fetch)}>
          <FlashProvider>
            {part}
            <Flashed />
          </FlashProvider>
        </ApiProvider>
      </SpeechProvider>
    </PreferencesProvider>,
  );
}

function Flashed() {
  return (
    <div id="flashed">
      {useFlashes().shown.map(({ id, header, content }) => (
        <div key={id}>
          {header} {content}
        </div>
      ))}
    </div>
  );
}

export function flashed(): string {
  return document.getElementById("flashed")?.textContent ?? "";
}

export function shownModal(): Promise<ModalWrapper> {
  return waitFor(() => {
    const found = createWrapper().findModal();
    if (!found) throw new Error("no modal yet");
    return found;
  });
}
