import TopNavigation, { type TopNavigationProps } from "@cloudscape-design/components/top-navigation";
import { useNavigate } from "react-router";

import { useCapabilities, useSession } from "../api/queries";
import { useT } from "../i18n";
import { LANGUAGES, THEMES, usePreferences } from "../preferences";
import { useLogOut } from "./session";

const ALL_REGIONS = "*";

export function TopBar() {
  const t = useT();
  const { preferences, prefer } = usePreferences();
  const session = useSession().data;
  const regions = useCapabilities().data?.regions ?? [];
  const logOut = useLogOut();
  const navigate = useNavigate();
  const checked = (isChosen: boolean) => ({ itemType: "checkbox" as const, checked: isChosen });
  const utilities: TopNavigationProps.Utility[] = [];
  if (session && regions.length > 0) {
    utilities.push({
      type: "menu-dropdown",
      text: preferences.region || t("shell.regions.all"),
      ariaLabel: t("shell.regions"),
      items: [
        { id: ALL_REGIONS, text: t("shell.regions.all"), ...checked(preferences.region === "") },
        ...regions.map(({ name }) => ({ id: name, text: name, ...checked(preferences.region === name) })),
      ],
      onItemClick: ({ detail }) => {
        prefer({ region: detail.id === ALL_REGIONS ? "" : detail.id });
      },
    });
  }
  utilities.push(
    {
      type: "menu-dropdown",
      text: t(`language.${preferences.language}`),
      ariaLabel: t("shell.language"),
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
  );
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
        if (detail.id === "log-out") logOut.mutate();
        else void navigate("/settings");
      },
    });
  }
  return (
    <TopNavigation
      identity={{ href: "/ui/jobs", title: "cosbatch" }}
      i18nStrings={{ overflowMenuTriggerText: t("shell.more"), overflowMenuTitleText: t("shell.more") }}
      utilities={utilities}
    />
  );
}
