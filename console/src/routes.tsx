import { createBrowserRouter, Navigate, type RouteObject } from "react-router";

import { BrokenContent, BrokenPage } from "./components/BrokenPage";
import { late } from "./components/latePage";
import { RequireSession } from "./components/session";
import { JobList } from "./pages/JobList";
import { Login } from "./pages/Login";

/**
 * Each page is a file of its own, loaded when it is first looked at, but for those that everybody sees first: they and
 * what they share with others are one file. Apart, they were forty, each with a head of its own and packed by itself.
 */
export const routes: RouteObject[] = [
  { path: "/login", Component: Login },
  { path: "/password", lazy: late(async () => (await import("./pages/Password")).Password) },
  {
    Component: RequireSession,
    children: [
      { index: true, element: <Navigate to="/jobs" replace /> },
      { path: "/jobs", Component: JobList },
      { path: "/users", lazy: late(async () => (await import("./pages/Users")).Users) },
      { path: "/roles", lazy: late(async () => (await import("./pages/Roles")).Roles) },
      { path: "/regions", lazy: late(async () => (await import("./pages/Regions")).Regions) },
      { path: "/webhooks", lazy: late(async () => (await import("./pages/Webhooks")).Webhooks) },
      { path: "/audit", lazy: late(async () => (await import("./pages/Audit")).Audit) },
      { path: "/jobs/:id", lazy: late(async () => (await import("./pages/JobDetail")).JobDetail) },
      { path: "/jobs/create", lazy: late(async () => (await import("./pages/CreateJob")).CreateJob) },
      { path: "/settings", lazy: late(async () => (await import("./pages/Settings")).Settings) },
      { path: "/help", lazy: late(async () => (await import("./pages/Help")).Help) },
      { path: "*", lazy: late(async () => (await import("./pages/NotFound")).NotFound) },
    ].map((route) => ({ ...route, ErrorBoundary: BrokenContent })),
  },
].map((route) => ({ ...route, ErrorBoundary: BrokenPage, HydrateFallback: () => null }));

export function createRouter() {
  return createBrowserRouter(routes, { basename: "/ui" });
}
