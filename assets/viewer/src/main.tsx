/** The bundle's door: Panel mounts a page by name; each is one component of the same module. */
import { signal } from "@preact/signals";
import { render } from "preact";
import { useEffect } from "preact/hooks";
import type { ComponentType } from "preact";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/parts.css";
import "./styles/pages.css";
import "./styles/spatial.css";
import "./styles/incidents.css";
import "./styles/planner.css";
import "./styles/replay.css";
import "./styles/wall.css";
import "./styles/editor.css";
import { comeBack } from "./app/come_back";
import { newer, renew } from "./app/newer";
import { failure, loading, start, world } from "./app/store";
import { lang, say, setLang, setTheme, theme } from "./app/words";

/** One line a page; each is a chunk of its own, fetched when its page is opened. */
const PAGES: Record<string, () => Promise<ComponentType>> = {
  operations: async () => (await import("./app/operations")).Operations,
  console: async () => (await import("./app/console")).Console,
  wall: async () => (await import("./app/wall")).Wall,
  replay: async () => (await import("./replay/page")).ReplayPage,
  editor: async () => (await import("./app/editor")).Editor,
  planner: async () => (await import("./planner/page")).Planner,
};
/** Nobody presses "try again" on a wall: it does so itself after this long. */
const UNATTENDED_MS = 10_000;
const opened = signal<ComponentType | null>(null);

function Shell() {
  void lang.value;
  useEffect(() => { if (failure.value && location.pathname === "/wall") comeBack(UNATTENDED_MS); }, [failure.value]);
  const Page = opened.value;
  if (failure.value) return <div class="first"><h1>{say("failed")}</h1><p>{failure.value}</p><button class="primary" onClick={() => location.reload()}>{say("retry")}</button></div>;
  const step = loading.value;
  if (step || !world.value || !Page) return <div class="first" role="status"><h1>Parktwin</h1><p>{say(step?.what ?? "loading")} {step ? `${step.done} / ${step.total}` : ""}</p><progress value={step?.done ?? 0} max={step?.total ?? 6} /></div>;
  return <>{newer.value && <div class="banner newer" role="alert"><span>{say("newer.banner")}</span><button class="primary" onClick={renew}>{say("newer.reload")}</button></div>}<Page /></>;
}

let isStarted = false;

/** Draws a page into an element and starts the store once. */
export function mount(host: HTMLElement, page: string): () => void {
  setLang(lang.value); setTheme(theme.value);
  render(<Shell />, host);
  if (!isStarted) {
    isStarted = true;
    void start();
    (PAGES[page] ?? PAGES.operations)().then((found) => { opened.value = found; }, (error: unknown) => { failure.value = String(error); });
  }
  return () => render(null, host);
}
export default { mount };
