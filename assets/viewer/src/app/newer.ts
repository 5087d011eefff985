/** A new build is served while a page shows the former one: told while a person is at work on it, loaded once nobody is.
 * What a reload would lose (camera, filters, a half-written order) is taken along. */
import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { comeBack } from "./come_back";

/** Whether this page shows a build that is no longer served; its values stand still. */
export const newer = signal(false);

const KEPT = "parktwin.return", FRESH_MS = 120_000, LOOK_MS = 500;
const OPEN = ".order,.fences-panel.draw,form.shelve,form.note,dialog[open],[role=dialog],[role=alertdialog]", FIELDS = "form input,form textarea,form select";
const written = new WeakSet<Element>(), guards = new Set<() => boolean>(), parts = new Map<string, () => unknown>();
const brought = read();

document.addEventListener("input", (e) => { if (e.target instanceof Element) written.add(e.target); }, true);
document.addEventListener("submit", (e) => { for (const field of (e.target as HTMLFormElement).elements) written.delete(field); }, true);

/** Work that no field shows, such as a line half drawn; gives the way to let go. */
export function holdBack(isAtWork: () => boolean): () => void { guards.add(isAtWork); return () => guards.delete(isAtWork); }

/** Whether a dialog is open, a form half filled or anything half drawn. */
function isAtWork(): boolean {
  if (document.querySelector(OPEN)) return true;
  for (const field of document.querySelectorAll<HTMLInputElement>(FIELDS)) if (written.has(field) && field.value.trim()) return true;
  return [...guards].some((guard) => guard());
}

/** Another build is served: load it now, or when the person is done. */
export function standStill(): void {
  if (newer.value) return;
  if (!isAtWork()) { renew(); return; }
  newer.value = true;
  const look = window.setInterval(() => { if (!isAtWork()) { clearInterval(look); renew(); } }, LOOK_MS);
}
/** Loads the new build, with everything that is kept. */
export function renew(): void {
  try { sessionStorage.setItem(KEPT, JSON.stringify({ page: location.pathname, ms: Date.now(), parts: Object.fromEntries([...parts].map(([name, now]) => [name, now()])) })); } catch { /* no storage: the address alone is kept */ }
  comeBack();
}

/** Something that is taken along over such a reload. */
export function keep(name: string, now: () => unknown): () => void { parts.set(name, now); return () => { if (parts.get(name) === now) parts.delete(name); }; }
/** What was taken along under a name, once; undefined where nothing was. */
export function taken<T>(name: string): T | undefined { const found = brought[name] as T | undefined; delete brought[name]; return found ?? undefined; }
/** A state of a component that is taken along. */
export function useKept<T>(name: string, initial: T | (() => T)): [T, (to: T) => void] {
  const [value, set] = useState<T>(() => taken<T>(name) ?? (initial instanceof Function ? initial() : initial)), now = useRef(value);
  now.current = value;
  useEffect(() => keep(name, () => now.current), [name]);
  return [value, (to) => set(() => to)];
}

function read(): Record<string, unknown> {
  try {
    const found = JSON.parse(sessionStorage.getItem(KEPT) ?? "null") as { page: string; ms: number; parts: Record<string, unknown> } | null;
    sessionStorage.removeItem(KEPT);
    return found && found.page === location.pathname && Date.now() - found.ms < FRESH_MS ? found.parts : {};
  } catch { return {}; }
}
