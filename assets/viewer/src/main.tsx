/** The bundle's door: Panel mounts a page by name; each is one component of the same module. */
import { render } from "preact";
import type { ComponentType } from "preact";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/parts.css";
import "./styles/pages.css";
import { Console } from "./app/console";
import { Operations } from "./app/operations";
import { failure, loading, start, world } from "./app/store";
import { lang, say, setLang, setTheme, theme } from "./app/words";

const PAGES: Record<string, ComponentType> = { operations: Operations, console: Console };

function Shell({ page: Page }: { page: ComponentType }) {
  void lang.value;
  if (failure.value) return <div class="first"><h1>{say("failed")}</h1><p>{failure.value}</p><button class="primary" onClick={() => location.reload()}>{say("retry")}</button></div>;
  const step = loading.value;
  if (step || !world.value) return <div class="first" role="status"><h1>Parktwin</h1><p>{say(step?.what ?? "loading")} {step ? `${step.done} / ${step.total}` : ""}</p><progress value={step?.done ?? 0} max={step?.total ?? 6} /></div>;
  return <Page />;
}

let isStarted = false;

/** Draws a page into an element and starts the store once. */
export function mount(host: HTMLElement, page: string): () => void {
  setLang(lang.value); setTheme(theme.value);
  render(<Shell page={PAGES[page] ?? Operations} />, host);
  if (!isStarted) { isStarted = true; void start(); }
  return () => render(null, host);
}
export default { mount };
