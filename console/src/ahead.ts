import type { QueryClient } from "@tanstack/react-query";
import { matchPath } from "react-router";

import type { Api } from "./api/client";
import { jobQuery } from "./api/jobQueries";
import { capabilitiesQuery, sessionQuery } from "./api/queries";
import { wasLoggedIn } from "./components/loggedIn";
import { queryOf, viewOf } from "./pages/jobListView";
import { pageSizeIn } from "./pages/JobListPreferences";
import { listQuery, readKept } from "./pages/jobListState";
import { readPreferences } from "./preferences";

/** Addresses of pages that are seen without a session. */
const OPEN = ["/ui/login", "/ui/password"];

/**
 * Asks for what the first page shows while its texts are still being loaded. Most answers are there when it is made: it
 * is made once then, not first empty and again with each of them. For whoever has not logged in with this browser
 * nothing is asked: they would be refused each.
 */
export function askAhead(api: Api, queries: QueryClient, address: { pathname: string; search: string }): void {
  const { pathname, search } = address;
  if (OPEN.includes(pathname) || !wasLoggedIn()) return;
  void queries.prefetchQuery(sessionQuery(api));
  void queries.prefetchQuery(capabilitiesQuery(api));
  const id = matchPath("/ui/jobs/:id", pathname)?.params.id;
  if (pathname === "/ui/jobs") {
    const preferences = readPreferences();
    const { region: regionOfAll, timeZone } = preferences;
    const view = viewOf(new URLSearchParams(search === "" ? readKept(regionOfAll) : search)); // as the page will
    const query = queryOf(view, { limit: pageSizeIn(preferences), regionOfAll, timeZone });
    void queries.prefetchQuery(listQuery(api, query));
  } else if (id && id !== "create") {
    void queries.prefetchQuery(jobQuery(api, id));
  }
}
