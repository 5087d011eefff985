/** `/editor`: the park from above; buildings placed and turned, things named and grouped, zones drawn, devices put by hand. */
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { EditorMap } from "../editor/map";
import { Find } from "../editor/find";
import { Chosen, Findings, Journal, Kept, ToolPanel } from "../editor/panels";
import { busy, chosen, corners, edits, fault, follow, held, late, node, nudge, ownerOf, publish, publishing, read, settle, spot, step, tool, type Tool } from "../editor/state";
import { Icon } from "./parts/icons";
import { PageLinks } from "./parts/pages";
import { LineBanner } from "./parts/topbar";
import { me, world } from "./store";
import { lang, named, say, setLang, setTheme, theme } from "./words";

const TOOLS: Tool[] = ["move", "zone", "device"], OTHERS_MS = 8000;
const STAGES = new Set(["buildings", "layers", "merge", "tiles", "tables", "walk", "compress"]);

export function Editor(): JSX.Element {
  void lang.value;
  useEffect(() => { void read().then(() => { if (publishing.value.state === "building") follow(); }); }, []);
  useEffect(() => { // what others do is seen soon, never while a hand is at work
    const look = window.setInterval(() => { if (!held.value && !busy.value && !document.hidden && publishing.value.state !== "building") void read(); }, OTHERS_MS);
    return () => clearInterval(look);
  }, []);
  useEffect(() => {
    const query = new URLSearchParams(location.search);
    if (chosen.value) query.set("node", chosen.value); else query.delete("node");
    history.replaceState(null, "", `${location.pathname}${query.size ? `?${query}` : ""}`);
  }, [chosen.value]);
  useEffect(() => {
    const key = (e: KeyboardEvent): void => {
      if (/INPUT|SELECT|TEXTAREA/.test((e.target as HTMLElement).tagName)) return;
      const b = node.value?.kind === "building" ? ownerOf(node.value) : undefined, far = e.shiftKey ? 1 : 0.1;
      if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === "z") { e.preventDefault(); void step(e.shiftKey ? "redo" : "undo"); }
      else if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === "y") { e.preventDefault(); void step("redo"); }
      else if (e.key === "Escape") { if (corners.value.length || spot.value) { corners.value = []; spot.value = null; } else if (tool.value !== "move") tool.value = "move"; else chosen.value = ""; }
      else if (b && (e.key === "[" || e.key === "{")) nudge(b, { turn: e.shiftKey ? -15 : -1 });
      else if (b && (e.key === "]" || e.key === "}")) nudge(b, { turn: e.shiftKey ? 15 : 1 });
      else if (b && e.altKey && e.key.startsWith("Arrow")) { e.preventDefault(); nudge(b, { x: e.key === "ArrowLeft" ? -far : e.key === "ArrowRight" ? far : 0, y: e.key === "ArrowDown" ? -far : e.key === "ArrowUp" ? far : 0 }); }
    };
    window.addEventListener("keydown", key);
    return () => window.removeEventListener("keydown", key);
  }, []);
  if (me.value && me.value.role !== "commander" && me.value.role !== "admin") return <div class="first"><h1>{say("editor.title")}</h1><p>{say("editor.role")}</p><a href="/">{say("operations")}</a></div>;
  const now = edits.value, work = publishing.value, isBuilding = work.state === "building" || work.state === "built", undo = now?.undo, redo = now?.redo;
  return (
    <div class="page editor">
      <header class="editor-bar">
        <a class="logo" href="/" title={say("operations")} aria-label={say("operations")}><Icon name="logo" size={26} /></a>
        <h1>{say("editor.title")}</h1>
        <p>{world.value && named(world.value.park)}</p>
        <div class="pair" role="group" aria-label={say("editor.tools")}>{TOOLS.map((t) => <button key={t} aria-pressed={tool.value === t} onClick={() => { tool.value = t; corners.value = []; spot.value = null; }}>{say(`editor.tool.${t}`)}</button>)}</div>
        <span class="spacer" />
        <button disabled={!undo || busy.value} title="Ctrl Z" onClick={() => void step("undo")}>{say("editor.undo")}</button>
        <button disabled={!redo || busy.value} title="Ctrl Shift Z" onClick={() => void step("redo")}>{say("editor.redo")}</button>
        <button class="primary" disabled={!now?.is_dirty || isBuilding || busy.value} onClick={() => void settle().then(publish)}>{isBuilding ? say("editor.publishing") : now?.is_dirty ? say("editor.publish") : say("editor.clean")}</button>
        <button onClick={() => setLang(lang.value === "zh" ? "en" : "zh")}>{lang.value === "zh" ? "EN" : "中"}</button>
        <button aria-label={say("theme")} onClick={() => setTheme(theme.value === "dark" ? "light" : "dark")}><Icon name={theme.value === "dark" ? "sun" : "moon"} size={16} /></button>
      </header>
      <LineBanner />
      <nav class="rail" aria-label={say("pages")}><PageLinks here="editor" /></nav>
      <aside class="editor-left" aria-label={say("editor.buildings")}><Find /></aside>
      <main class="editor-main">
        {world.value && now && <EditorMap />}
        {isBuilding && <div class="editor-progress" role="status"><b>{work.state === "built" ? say("editor.serving") : say(STAGES.has(work.stage ?? "") ? `editor.stage.${work.stage}` : "editor.publishing")}</b><progress value={work.state === "built" ? 1 : work.done ?? 0} max={work.state === "built" ? 1 : Math.max(1, work.total ?? 1)} /><span>{work.state === "building" && (work.total ?? 0) > 1 ? `${work.done} / ${work.total}` : ""}</span></div>}
        {work.state === "failed" && <div class="editor-wrong" role="alert"><b>{say("editor.failed")}</b><p>{work.error}; {work.mend}</p><button onClick={() => void publish()}>{say("retry")}</button></div>}
        {late.value && <div class="editor-wrong" role="alert"><b>{say("editor.late")}</b><p>{late.value.why}</p><div class="verbs"><button class="primary" onClick={() => void late.value?.again()}>{say("editor.late.again")}</button><button onClick={() => { late.value = null; held.value = null; }}>{say("editor.late.theirs")}</button></div></div>}
        {fault.value && <div class="editor-wrong" role="alert"><p>{fault.value}</p><button onClick={() => { fault.value = ""; held.value = null; void read(); }}>{say("editor.close")}</button></div>}
        <p class="editor-keys">{say(`editor.keys.${tool.value}`)}</p>
      </main>
      <aside class="editor-right" aria-label={say("editor.work")}><ToolPanel />{tool.value === "move" && <Chosen />}<Findings /><Kept /><Journal /></aside>
    </div>
  );
}
