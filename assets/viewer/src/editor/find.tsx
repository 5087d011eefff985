/** The left side: every building of the park to choose from, and a search over buildings, storeys and rooms. */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { TreeNode } from "../contract";
import { named, say } from "../app/words";
import { world } from "../app/store";
import type { Standing } from "./api";
import { chosen, draftName, edits, editOf, isOfMap, node, ownerOf, standing, storeyOf, tool } from "./state";

const MOST = 60;

/** Up and down among the rows of a list, as in any list box. */
export function walkList(e: KeyboardEvent): void {
  if (e.key !== "ArrowDown" && e.key !== "ArrowUp" && e.key !== "Home" && e.key !== "End") return;
  const rows = [...(e.currentTarget as HTMLElement).querySelectorAll<HTMLButtonElement>("li button[data-row]")], at = rows.indexOf(document.activeElement as HTMLButtonElement);
  const next = e.key === "Home" ? 0 : e.key === "End" ? rows.length - 1 : Math.max(0, Math.min(rows.length - 1, at + (e.key === "ArrowDown" ? 1 : -1)));
  if (e.altKey || !rows[next]) return;
  e.preventDefault();
  rows[next]!.focus();
}
function take(id: string): void { chosen.value = id; tool.value = "move"; }

function Row({ n, b }: { n: TreeNode | undefined; b?: Standing }): JSX.Element | null {
  const id = n?.id ?? b?.id ?? "", isHere = n?.kind === "building" || !n ? ownerOf(node.value)?.id === id : chosen.value === id;
  const where = n && n.kind !== "building" ? [storeyOf(n), ownerBuilding(n)].filter((x): x is TreeNode => !!x && x !== n).map((x) => named(draftName(x))).join(" · ") : "";
  const state = b && !b.is_placed ? say("editor.unplaced") : editOf("place", id)?.is_draft ? say("editor.draft") : b?.how === "hand" ? say("editor.byhand") : "";
  return <li><button data-row aria-pressed={isHere} class={b && !b.is_placed ? "unplaced" : ""} onClick={() => take(id)}><b>{n ? named(draftName(n)) || id : id}<i>{where || id}</i></b><small>{state}</small></button></li>;
}
function ownerBuilding(n: TreeNode): TreeNode | undefined { let at: TreeNode | undefined = n; while (at && at.kind !== "building") at = world.value!.byIndex.get(at.parent); return at; }

/** Buildings that nothing places first, then those with a model and those of the map that were moved; all else by search. */
export function Find(): JSX.Element {
  const [text, setText] = useState(""), box = useRef<HTMLInputElement>(null), list = useRef<HTMLUListElement>(null), w = world.value!, rows = edits.value?.buildings ?? [];
  useEffect(() => {
    const key = (e: KeyboardEvent): void => {
      if ((e.key === "/" && !/INPUT|SELECT|TEXTAREA/.test((e.target as HTMLElement).tagName)) || (e.key.toLowerCase() === "k" && (e.ctrlKey || e.metaKey))) { e.preventDefault(); box.current?.focus(); box.current?.select(); }
    };
    window.addEventListener("keydown", key);
    return () => window.removeEventListener("keydown", key);
  }, []);
  const words = text.toLowerCase().split(/\s+/).filter(Boolean), plain = w.places.ofKind("building").filter((n) => isOfMap(n.id) && !standing.value.has(n.id)).length;
  const found = words.length ? FOUND.flatMap((kind) => w.places.ofKind(kind)).filter((n) => matches(n, words)) : [];
  const enter = (e: KeyboardEvent): void => {
    if (e.key === "Enter" && found[0]) { e.preventDefault(); take(found[0].id); }
    else if (e.key === "ArrowDown") { e.preventDefault(); list.current?.querySelector<HTMLButtonElement>("button[data-row]")?.focus(); }
    else if (e.key === "Escape") { setText(""); box.current?.blur(); e.stopPropagation(); }
  };
  return (
    <section class="editor-section find">
      <input ref={box} type="search" value={text} aria-label={say("editor.find")} placeholder={say("editor.find")} onInput={(e) => setText(e.currentTarget.value)} onKeyDown={enter} />
      <h2>{words.length ? say("editor.found") : say("editor.buildings")}<i>{words.length ? found.length : rows.length}</i></h2>
      <ul ref={list} class="editor-list tall" onKeyDown={walkList}>
        {words.length ? found.slice(0, MOST).map((n) => <Row key={n.id} n={n} b={standing.value.get(n.id)} />) : rows.map((b) => <Row key={b.id} n={w.byId.get(b.id)} b={b} />)}
      </ul>
      {words.length > 0 && !found.length && <p class="editor-note">{say("editor.find.none")}</p>}
      {found.length > MOST && <p class="editor-note">{say("editor.find.more", { n: found.length - MOST })}</p>}
      {!words.length && plain > 0 && <p class="editor-note">{say("editor.find.map", { n: plain })}</p>}
    </section>
  );
}
/** What is looked for, in the order it is listed. */
const FOUND = ["building", "storey", "space"];
function matches(n: TreeNode, words: string[]): boolean {
  const draft = draftName(n), text = `${n.id} ${n.name} ${n.name_zh} ${draft.name} ${draft.name_zh}`.toLowerCase();
  return words.every((word) => text.includes(word));
}
