/** The bar every page carries: where you are, search, the state of the line, the hour, language, theme, who you are. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { JSX } from "preact";
import { api, type Hit, signOut } from "../api";
import { clock, day, figure, span } from "../format";
import { newer } from "../newer";
import { goTo, line, links, me, placePath, reading, seconds, serverNow, servers, valuesTick, world } from "../store";
import { lang, named, pick, say, setLang, setTheme, theme } from "../words";
import { Icon } from "./icons";

function Crumbs({ first }: { first?: string }): JSX.Element {
  const path = placePath.value, w = world.value, last = path[path.length - 1];
  const siblings = last && path.length > 1 ? w!.places.children(last.parent, last.kind) : [];
  return (
    <nav class="crumbs" aria-label={say("crumbs")}>
      {first && <span class="crumb-page">{first}</span>}
      {path.map((n, k) => (
        <span key={n.id}>
          {(k > 0 || first) && <i>›</i>}
          {k === path.length - 1 && k > 0 ? (
            <label class="crumb here">
              <select aria-label={say("siblings")} value={n.id} onChange={(e) => goTo(e.currentTarget.value)}>
                {siblings.map((s) => <option value={s.id} key={s.id}>{named(s)}</option>)}
              </select>
              <Icon name="down" size={14} />
            </label>
          ) : (
            <button class={`crumb${k === path.length - 1 ? " here" : ""}`} onClick={() => goTo(n.id)}>{k === 0 ? say("park") : named(n)}</button>
          )}
        </span>
      ))}
    </nav>
  );
}

export function Search(): JSX.Element {
  const [hits, setHits] = useState<Hit[] | null>(null), [at, setAt] = useState(0), box = useRef<HTMLInputElement>(null), asked = useRef<AbortController | null>(null), answer = useRef<Promise<Hit[]>>(Promise.resolve([]));
  useEffect(() => {
    const key = (e: KeyboardEvent) => {
      const typing = /INPUT|TEXTAREA|SELECT/.test((e.target as HTMLElement).tagName);
      if ((e.key === "/" && !typing) || (e.key === "k" && (e.ctrlKey || e.metaKey))) { e.preventDefault(); box.current?.focus(); box.current?.select(); }
    };
    window.addEventListener("keydown", key);
    return () => window.removeEventListener("keydown", key);
  }, []);
  const ask = async (q: string) => {
    asked.current?.abort();
    if (!q.trim()) { setHits(null); return; }
    asked.current = new AbortController();
    answer.current = api.search(q, asked.current.signal);
    try { setHits(await answer.current); setAt(0); } catch (e) { if ((e as Error).name !== "AbortError") setHits([]); }
  };
  /** Enter means what is written, not what an earlier letter found. */
  const enter = () => { const latest = answer.current; void latest.then((found) => take(found === hits ? found[at] : found[0]), () => undefined); };
  const take = (hit?: Hit) => { if (!hit) return; goTo(hit.id); setHits(null); box.current!.value = ""; box.current!.blur(); };
  const key = (e: KeyboardEvent) => {
    if (e.key === "ArrowDown" || e.key === "ArrowUp") { e.preventDefault(); setAt((i) => Math.max(0, Math.min((hits?.length ?? 1) - 1, i + (e.key === "ArrowDown" ? 1 : -1)))); }
    else if (e.key === "Enter") enter();
    else if (e.key === "Escape") { setHits(null); box.current?.blur(); e.stopPropagation(); }
  };
  return (
    <div class="search">
      <Icon name="search" size={15} />
      <input ref={box} type="search" aria-expanded={!!hits} aria-controls="hits" aria-label={say("search")} placeholder={say("search")} onInput={(e) => void ask(e.currentTarget.value)} onKeyDown={key} onBlur={() => setTimeout(() => setHits(null), 150)} />
      <kbd>/</kbd><kbd>Ctrl K</kbd>
      {hits && (
        <ul id="hits" role="listbox">
          {hits.length === 0 && <li class="none">{say("search.none")}</li>}
          {hits.map((h, k) => (
            <li key={h.id} role="option" aria-selected={k === at} class={k === at ? "at" : ""} onMouseDown={() => take(h)}>
              <b>{named(h)}</b><span>{pick(h, "path")}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** Where a park has several servers: which of them writes; nothing where there is one. */
function whoWrites(): string | undefined {
  const s = servers.value;
  if (!s) return undefined;
  return [say("servers.here", { here: s.here }), s.writer ? say("servers.writer", { writer: s.writer }) : say("servers.nobody"), say("servers.all", { all: s.servers.join(", ") })].join("\n");
}

function LiveBadge(): JSX.Element {
  void seconds.value;
  const { isUp, sinceMs } = line.value, down = [...links.value].filter(([, link]) => link.state !== "live");
  if (newer.value) return <span class="badge lost" role="status">{say("newer.short")}</span>;
  if (!isUp) return <span class="badge lost" role="status">{say("line.lost")} {span(performance.now() - sinceMs)}</span>;
  if (down.length) {
    const [name, link] = down[0], more = down.length > 1 ? ` +${down.length - 1}` : "";
    const why = down.map(([n, l]) => `${n}: ${l.text}`).join("\n");
    return <span class="badge lost" role="status" title={why}>{say("line.source")}: {name}{more} {span(serverNow() - link.since_ms)}</span>;
  }
  return <span class="badge" role="status" title={whoWrites()}><Icon name="live" size={14} />{say("line.live")}</span>;
}

function Weather(): JSX.Element | null {
  void (seconds.value, valuesTick.value);
  const station = world.value?.devices.find((d) => d.kind === "weather");
  if (!station) return null;
  const kind = world.value!.kinds.get("weather")!, point = kind.points.find((p) => p.unit === "°C");
  const r = point && reading(station, point.key);
  return r ? <span>{figure(r.value, 0)} °C</span> : null;
}

export function TopBar({ page }: { page: "operations" | "console" }): JSX.Element {
  void seconds.value;
  const park = world.value?.park, who = me.value, now = serverNow();
  return (
    <header class="topbar">
      <a class="logo" href="/" aria-label="Parktwin"><Icon name="logo" size={26} /></a>
      <h1>{park ? named(park) : "Parktwin"}</h1>
      <Crumbs first={page === "console" ? say("console") : undefined} />
      {who?.demo && <span class="demo" title={say("demo.why")}>{say("demo")}</span>}
      <div class="spacer" />
      <Search />
      <LiveBadge />
      <time><b>{clock(now)}</b><span>{day(now)} <Weather /></span></time>
      <div class="pair" role="group" aria-label={say("language")}>
        <button aria-pressed={lang.value === "zh"} onClick={() => setLang("zh")}>中</button>
        <button aria-pressed={lang.value === "en"} onClick={() => setLang("en")}>EN</button>
      </div>
      <button class="round" aria-label={say("theme")} title={say("theme")} onClick={() => setTheme(theme.value === "dark" ? "light" : "dark")}><Icon name={theme.value === "dark" ? "sun" : "moon"} size={16} /></button>
      {who && (
        <form class="who" onSubmit={(e) => { e.preventDefault(); void signOut(); }}>
          <span class="avatar">{[...(who.name || who.user)][0]}</span>
          <span>{who.name || who.user} · {say(`role.${who.role}`)}</span>
          <button class="round" aria-label={say("signout")} title={say("signout")}><Icon name="out" size={15} /></button>
        </form>
      )}
    </header>
  );
}

/** Across the page while the line is down; the page keeps its place. */
export function LineBanner(): JSX.Element | null {
  void seconds.value;
  if (line.value.isUp || !world.value || newer.value) return null;
  return <div class="banner" role="alert">{say("line.banner", { span: span(performance.now() - line.value.sinceMs) })}</div>;
}
