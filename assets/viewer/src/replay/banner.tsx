/** What says that this is not live: the violet banner with the instant, today's clock and what is urgent now. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type Alarm, api } from "../app/api";
import { clock } from "../app/format";
import { Icon, PriorityMark } from "../app/parts/icons";
import { dayOf } from "../app/parktime";
import { replay } from "../app/replaying";
import { seconds, serverNow } from "../app/store";
import { lang, pick, say, setLang, setTheme, theme } from "../app/words";

export function Banner({ title }: { title: string }): JSX.Element {
  void seconds.value;
  const at = serverNow(), [urgent, setUrgent] = useState<Alarm[]>([]);
  useEffect(() => {
    const look = () => api.alarms().then((all) => setUrgent(all.filter((a) => a.priority === 1 && a.state === "unacknowledged")), () => undefined);
    void look();
    const timer = window.setInterval(look, 5000);
    return () => window.clearInterval(timer);
  }, []);
  return (
    <header class="replay-banner">
      <h1><Icon name="clock" size={22} />{say("replay")} · {dayOf(at)} {clock(at)} · {replay.value?.speed ?? 1}×</h1><span class="what">{title}</span><span class="spacer" />
      <span>{say("replay.not")}　{say("replay.today", { at: `${dayOf(Date.now())} ${clock(Date.now())}` })}{urgent.length ? "" : ` · ${say("replay.calm")}`}</span>
      {urgent[0] && <a class="urgent" href={`/console?at=${encodeURIComponent(urgent[0].device)}`}><PriorityMark priority={1} size={20} />P1 {pick(urgent[0], "title")} · {pick(urgent[0], "place")}{urgent.length > 1 ? ` +${urgent.length - 1}` : ""}</a>}
      <button class="round" aria-label={say("language")} onClick={() => setLang(lang.value === "zh" ? "en" : "zh")}>{lang.value === "zh" ? "EN" : "中"}</button>
      <button class="round" aria-label={say("theme")} onClick={() => setTheme(theme.value === "dark" ? "light" : "dark")}><Icon name={theme.value === "dark" ? "sun" : "moon"} size={15} /></button>
      <a class="back" href="/">{say("replay.back")}</a>
    </header>
  );
}
