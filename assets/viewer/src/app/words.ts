/** Every string in both languages; switched without a reload. */
import { signal } from "@preact/signals";
import type { Lang } from "../contract";
import { BOOKS } from "./books";

const kept = (key: string) => { try { return localStorage.getItem(key); } catch { return null; } };
export const lang = signal<Lang>(kept("parktwin.lang") === "en" ? "en" : "zh");
export const theme = signal<"light" | "dark">(kept("parktwin.theme") === "light" ? "light" : "dark");

export function setLang(to: Lang): void {
  lang.value = to;
  document.documentElement.lang = to === "zh" ? "zh-CN" : "en";
  try { localStorage.setItem("parktwin.lang", to); } catch { /* private window: the choice lasts as long as the page */ }
}
export function setTheme(to: "light" | "dark"): void {
  theme.value = to;
  document.documentElement.dataset.theme = to;
  try { localStorage.setItem("parktwin.theme", to); } catch { /* private window: the choice lasts as long as the page */ }
}

/** The words for a key, with {name} filled in. */
export function say(key: string, fill: Record<string, string | number> = {}): string {
  const text = BOOKS[lang.value][key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => String(fill[name] ?? ""));
}
/** Whether there are words for a key. */
export const has = (key: string): boolean => key in BOOKS[lang.value];
/** A remark the server keeps in English, in the language of the moment where it is one of its own. */
export function told(note: string): string {
  const key = `note.${note.toLowerCase().replace(/[^a-z]+/g, "_")}`;
  return has(key) ? say(key) : note;
}
/** A thing's name in the language of the moment. */
export const named = (thing: { name: string; name_zh?: string | null }): string => (lang.value === "zh" && thing.name_zh ? thing.name_zh : thing.name);
/** A pair of texts by language: `pick(row, "title")` reads title or title_zh. */
export const pick = <T extends object>(row: T, key: keyof T & string): string => {
  const both = row as Record<string, unknown>;
  return String((lang.value === "zh" && both[`${key}_zh`]) || both[key] || "");
};
