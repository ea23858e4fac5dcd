import TopNavigation, { type TopNavigationProps } from "@cloudscape-design/components/top-navigation";
import { useNavigate } from "react-router";

import { useCapabilities, useSession } from "../api/queries";
import { useT } from "../i18n";
import { LANGUAGES, THEMES, usePreferences } from "../preferences";
import { useFlashes } from "./flashes";
import { useLogOut } from "./session";

const ALL_REGIONS = "*";

/** The bar on top for everybody: what can be chosen without being logged in. */
export function OpenTopBar() {
  const shown = useAppearanceUtilities();
  return <Bar utilities={shown} />;
}

/** The bar on top for who is logged in. */
export function TopBar() {
  const t = useT();
  const { preferences, prefer } = usePreferences();
  const session = useSession().data;
  const regions = useCapabilities().data?.regions ?? [];
  const logOut = useLogOut();
  const { flash } = useFlashes();
  const tellThatItFailed = () => {
    flash({ type: "error", content: (speech) => speech.t("session.log-out.failed"), id: "log-out" });
  };
  const navigate = useNavigate();
  const appearance = useAppearanceUtilities();
  const utilities: TopNavigationProps.Utility[] = [];
  if (session) {
    const shown = preferences.region || t("shell.regions.all");
    // Also before the regions are there: the kit knows menus by their places, and an open one would become the next one.
    utilities.push({
      type: "menu-dropdown",
      text: shown,
      ariaLabel: t("shell.regions", { shown }),
      items: [
        { id: ALL_REGIONS, text: t("shell.regions.all"), ...checked(preferences.region === "") },
        ...regions.map(({ name }) => ({ id: name, text: name, ...checked(preferences.region === name) })),
      ],
      onItemClick: ({ detail }) => {
        prefer({ region: detail.id === ALL_REGIONS ? "" : detail.id });
      },
    });
  }
  utilities.push(...appearance);
  if (session) {
    utilities.push({
      type: "menu-dropdown",
      iconName: "user-profile",
      text: session.user,
      description: `${t(`role.${session.role}`)}, ${session.account.name || session.account.id}`,
      items: [
        { id: "settings", text: t("nav.settings") },
        { id: "log-out", text: t("session.log-out") },
      ],
      onItemClick: ({ detail }) => {
        if (detail.id === "log-out") logOut.mutate(undefined, { onError: tellThatItFailed });
        else void navigate("/settings");
      },
    });
  }
  return <Bar utilities={utilities} />;
}

function useAppearanceUtilities(): TopNavigationProps.Utility[] {
  const t = useT();
  const { preferences, prefer } = usePreferences();
  const shown = t(`language.${preferences.language}`);
  return [
    {
      type: "menu-dropdown",
      text: shown,
      ariaLabel: t("shell.language", { shown }),
      items: LANGUAGES.map((id) => ({ id, text: t(`language.${id}`), ...checked(preferences.language === id) })),
      onItemClick: ({ detail }) => {
        const chosen = LANGUAGES.find((each) => each === detail.id);
        if (chosen) prefer({ language: chosen });
      },
    },
    {
      type: "menu-dropdown",
      iconName: "settings",
      ariaLabel: t("shell.theme"),
      items: THEMES.map((id) => ({ id, text: t(`theme.${id}`), ...checked(preferences.theme === id) })),
      onItemClick: ({ detail }) => {
        const chosen = THEMES.find((each) => each === detail.id);
        if (chosen) prefer({ theme: chosen });
      },
    },
  ];
}

function Bar({ utilities }: { utilities: readonly TopNavigationProps.Utility[] }) {
  const t = useT();
  return (
    <TopNavigation
      identity={{ href: "/ui/jobs", title: "cosbatch" }}
      i18nStrings={{ overflowMenuTriggerText: t("shell.more"), overflowMenuTitleText: t("shell.more") }}
      utilities={utilities}
    />
  );
}

function checked(isChosen: boolean) {
  return { itemType: "checkbox" as const, checked: isChosen };
}
