import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, render, waitFor } from "@testing-library/react";
import { MemoryRouter, Route, Routes, useLocation } from "react-router";
import { afterEach, expect, it } from "vitest";

import { createApi } from "../api/client";
import { ApiProvider } from "../api/context";
import { SpeechProvider } from "../i18n";
import { PreferencesProvider } from "../preferences";
import { keepLogin, wasLoggedIn } from "./loggedIn";
import { nextOf, RequireSession, useLogOut } from "./session";

function Leaving() {
  const logOut = useLogOut();
  const { pathname } = useLocation();
  return (
    <button
      onClick={() => {
        logOut.mutate();
      }}
    >
      {`${logOut.status} at ${pathname}`}
    </button>
  );
}

/** Where one is when the service has answered a logout with `status`; 0: it does not answer. */
async function afterLogout(status: number): Promise<string> {
  const fetch = () =>
    status === 0 ? Promise.reject(new TypeError("no network")) : Promise.resolve(new Response(null, { status }));
  keepLogin();
  const { container } = render(
    <MemoryRouter initialEntries={["/settings"]}>
      <QueryClientProvider client={new QueryClient()}>
        <ApiProvider api={createApi(fetch)}>
          <Leaving />
        </ApiProvider>
      </QueryClientProvider>
    </MemoryRouter>,
  );
  act(() => {
    container.querySelector("button")?.click();
  });
  await waitFor(() => {
    expect(container.textContent).toMatch(/success|error/);
  });
  return container.textContent;
}

afterEach(cleanup);

it.each([204, 401])("leads to the login once there is no session any more: %s", async (status) => {
  expect(await afterLogout(status)).toBe("success at /login");
  expect(wasLoggedIn()).toBe(false);
});

it.each([0, 503])("stays where it is while the session goes on: %s", async (status) => {
  expect(await afterLogout(status)).toBe("error at /settings");
  expect(wasLoggedIn()).toBe(true);
});

it("leads who has no session back to the very part of the page, too", async () => {
  const fetch = () => Promise.resolve(Response.json({ error: { code: "Unauthenticated" } }, { status: 401 }));
  const { container } = render(
    <MemoryRouter initialEntries={["/jobs/one?x=1#failures"]}>
      <PreferencesProvider>
        <SpeechProvider>
          <ApiProvider api={createApi(fetch)}>
            <Routes>
              <Route path="/jobs/*" element={<RequireSession />} />
              <Route path="/login" element={<Login />} />
            </Routes>
          </ApiProvider>
        </SpeechProvider>
      </PreferencesProvider>
    </MemoryRouter>,
  );
  await waitFor(() => {
    expect(container.textContent).toBe("next: /jobs/one?x=1#failures");
  });
});

function Login() {
  return <p>next: {nextOf(new URLSearchParams(useLocation().search))}</p>;
}
