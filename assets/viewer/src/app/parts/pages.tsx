/** The way from page to page, the same on every page that has a rail. */
import type { JSX } from "preact";
import { me } from "../store";
import { say } from "../words";
import { Icon } from "./icons";

const PAGES: { key: string; path: string; icon: string; words: string; mayEdit?: boolean }[] = [
  { key: "operations", path: "/", icon: "overview", words: "operations" }, { key: "planner", path: "/planner", icon: "planner", words: "planner.title" },
  { key: "editor", path: "/editor", icon: "editor", words: "editor.title", mayEdit: true }, { key: "replay", path: "/replay", icon: "clock", words: "replay" },
  { key: "console", path: "/console", icon: "console", words: "console" }, { key: "wall", path: "/wall", icon: "wall", words: "wall.panel" },
];

/** Links to the pages this person may open; the one that is open is marked, or left out where the rail says it otherwise. */
export function PageLinks({ here, without }: { here: string; without?: string }): JSX.Element {
  const isEditor = !!me.value && ["commander", "admin"].includes(me.value.role);
  return <>{PAGES.filter((p) => p.key !== without && (!p.mayEdit || isEditor)).map((p) => <a key={p.key} href={p.path} aria-current={p.key === here ? "page" : undefined}><Icon name={p.icon} size={22} /><span>{say(p.words)}</span></a>)}</>;
}
