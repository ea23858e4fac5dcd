import createWrapper from "@cloudscape-design/components/test-utils/dom";
import { act, fireEvent, render, waitFor } from "@testing-library/react";
import { expect, it, vi } from "vitest";

import { SpeechProvider } from "../i18n";
import { PreferencesProvider } from "../preferences";
import { SecretModal } from "./SecretModal";

it("is not thrown away by a key or by a click beside it", async () => {
  const onClose = vi.fn();
  render(
    <PreferencesProvider>
      <SpeechProvider>
        <SecretModal title="Key" shown={[{ label: "Secret", value: "s3cret" }]} onClose={onClose} />
      </SpeechProvider>
    </PreferencesProvider>,
  );
  const modal = await waitFor(() => {
    const found = createWrapper().findModal();
    if (!found) throw new Error("no modal yet");
    return found;
  });
  fireEvent.mouseDown(modal.getElement());
  fireEvent.click(modal.getElement());
  fireEvent.keyDown(modal.findDismissButton()?.getElement() ?? modal.getElement(), { keyCode: 27 });
  expect(onClose).not.toHaveBeenCalled();
  expect(modal.getElement().textContent).toContain("s3cret");
  act(() => {
    modal.findFooter()?.findButton()?.click();
  });
  expect(onClose).toHaveBeenCalledOnce();
});
