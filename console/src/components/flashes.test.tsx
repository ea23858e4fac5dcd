import { act, cleanup, render, screen, waitFor } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";

import { SpeechProvider } from "../i18n";
import { PreferencesProvider, usePreferences } from "../preferences";
import { FlashProvider, useFlashes } from "./flashes";

function Told() {
  const { shown, flash } = useFlashes();
  const { prefer } = usePreferences();
  return (
    <>
      <button
        onClick={() => {
          flash({
            type: "error",
            header: ({ t }) => t("webhooks.test.failed", { name: "pager" }),
            content: ({ t }) => t("password.changed"),
          });
        }}
      />
      <button
        onClick={() => {
          prefer({ language: "zh-CN" });
        }}
      />
      {shown.map(({ id, header, content, dismissLabel, onDismiss }) => (
        <p key={id}>
          {header} {content} <button onClick={onDismiss as () => void}>{dismissLabel}</button>
        </p>
      ))}
    </>
  );
}

afterEach(cleanup);

it("what stands above the page is told in the language of the moment, until it is dismissed", async () => {
  render(
    <PreferencesProvider>
      <SpeechProvider>
        <FlashProvider>
          <Told />
        </FlashProvider>
      </SpeechProvider>
    </PreferencesProvider>,
  );
  const [flash, switchLanguage] = await screen.findAllByRole("button");
  const said = () => document.querySelector("p")?.textContent;
  act(() => flash?.click());
  expect(said()).toMatch(/^pager did not take .*Your password was changed\. Dismiss$/);
  act(() => switchLanguage?.click());
  await waitFor(() => {
    expect(said()).toMatch(/^pager [^a-z]+$/i);
  });
  act(() => document.querySelector<HTMLElement>("p button")?.click());
  expect(said()).toBeUndefined();
});
