import AppLayout, { type AppLayoutProps } from "@cloudscape-design/components/app-layout";
import BreadcrumbGroup from "@cloudscape-design/components/breadcrumb-group";
import Flashbar from "@cloudscape-design/components/flashbar";
import SideNavigation, { type SideNavigationProps } from "@cloudscape-design/components/side-navigation";
import { createContext, type ReactNode, useContext, useEffect, useState } from "react";
import { useLocation } from "react-router";

import { useMay } from "../api/queries";
import { type TextKey, useT } from "../i18n";
import { ConnectionBanner } from "./ConnectionBanner";
import { useFlashes } from "./flashes";
import { Follow } from "./Follow";
import { TopBar } from "./TopBar";

export interface Crumb {
  text: string;
  /** Below /ui; the last crumb is the page itself and has none. */
  to?: string;
}

interface PageProps {
  /** What the browser's tab says, before the product's name. */
  title: string;
  crumbs?: readonly Crumb[];
  contentType?: AppLayoutProps.ContentType;
  children: ReactNode;
}

const NavigationContext = createContext(true);

/** Whether the list of pages stands beside the page, and takes some of its width. */
export function useHasNavigation(): boolean {
  return useContext(NavigationContext);
}

/** A page in the frame of the console. Its content begins with an h1 (Header variant h1 or awsui-h1-sticky). */
export function Page({ title, crumbs = [], contentType = "default", children }: PageProps) {
  const t = useT();
  const { shown } = useFlashes();
  const [isOpen, setOpen] = useState(() => globalThis.innerWidth > 1100);
  useEffect(() => {
    document.title = `${title} - cosbatch`;
  }, [title]);
  useFocusOnHeading();
  return (
    <Follow>
      <a
        className="skip-link"
        href="#content"
        onClick={(event) => {
          event.preventDefault(); // the address says which part of the page is shown
          focusHeading();
        }}
      >
        {t("shell.skip")}
      </a>
      <div id="top">
        <TopBar />
      </div>
      <AppLayout
        headerSelector="#top"
        toolsHide
        contentType={contentType}
        navigation={<Navigation />}
        navigationOpen={isOpen}
        onNavigationChange={({ detail }) => {
          setOpen(detail.open);
        }}
        navigationWidth={240}
        ariaLabels={{
          navigation: t("shell.navigation"),
          navigationClose: t("shell.navigation.close"),
          navigationToggle: t("shell.navigation.open"),
          notifications: t("shell.notifications"),
        }}
        breadcrumbs={
          crumbs.length > 0 && (
            <BreadcrumbGroup
              ariaLabel={t("shell.breadcrumbs")}
              items={crumbs.map(({ text, to }) => ({ text, href: to ? `/ui${to}` : "#" }))}
            />
          )
        }
        notifications={
          <>
            <ConnectionBanner />
            <Flashbar items={[...shown]} />
          </>
        }
        content={
          <NavigationContext.Provider value={isOpen}>
            <div id="content">{children}</div>
          </NavigationContext.Provider>
        }
      />
    </Follow>
  );
}

function Navigation() {
  const t = useT();
  const may = useMay();
  const here = useLocation().pathname;
  const link = (key: TextKey, to: string): SideNavigationProps.Link => ({
    type: "link",
    text: t(key),
    href: `/ui${to}`,
  });
  const navigations: SideNavigationProps.Item[] = [
    link("nav.jobs", "/jobs"),
    ...(may("list_roles") ? [link("nav.roles", "/roles")] : []),
    ...(may("list_access_keys") ? [link("nav.users", "/users")] : []),
    ...(may("list_regions") ? [link("nav.regions", "/regions")] : []),
    ...(may("list_webhooks") ? [link("nav.webhooks", "/webhooks")] : []),
    ...(may("list_audit") ? [link("nav.audit", "/audit")] : []),
    { type: "divider" },
    link("nav.settings", "/settings"),
    link("nav.help", "/help"),
  ];
  const first = `/ui/${here.split("/")[1] ?? ""}`;
  return <SideNavigation header={{ text: t("nav.title"), href: "/ui/jobs" }} activeHref={first} items={navigations} />;
}

/** Whoever hears pages instead of seeing them is told the new page's heading; not on the first page, which reads itself. */
function useFocusOnHeading() {
  const { key } = useLocation();
  useEffect(() => {
    if (key !== "default") focusHeading();
    // The page is made anew with each path: once is enough.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);
}

function focusHeading(): void {
  const heading = document.querySelector<HTMLElement>("#content h1");
  if (!heading) return;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}
