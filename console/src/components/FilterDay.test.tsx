import { render, screen } from "@testing-library/react";
import { expect, it } from "vitest";

import { SpeechProvider } from "../i18n";
import { PreferencesProvider } from "../preferences";
import { FilterDay } from "./FilterDay";

it("asks for a day as soon as what asks for it is loaded", async () => {
  render(
    <PreferencesProvider>
      <SpeechProvider>
        <FilterDay value="2026-11-26" onChange={() => undefined} />
      </SpeechProvider>
    </PreferencesProvider>,
  );
  const field = await screen.findByRole<HTMLInputElement>("textbox", undefined, { timeout: 20_000 });
  expect(field.value).toBe("2026-11-26");
}, 30_000);
