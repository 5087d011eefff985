/** The words of every room, one file a room and language in assets/i18n; a key belongs to one room. */
import en from "../../../i18n/en.json";
import zh from "../../../i18n/zh.json";
import alarmsEN from "../../../i18n/alarms.en.json";
import alarmsZH from "../../../i18n/alarms.zh.json";
import editorEN from "../../../i18n/editor.en.json";
import editorZH from "../../../i18n/editor.zh.json";
import graphEN from "../../../i18n/graph.en.json";
import graphZH from "../../../i18n/graph.zh.json";
import incidentsEN from "../../../i18n/incidents.en.json";
import incidentsZH from "../../../i18n/incidents.zh.json";
import plannerEN from "../../../i18n/planner.en.json";
import plannerZH from "../../../i18n/planner.zh.json";
import refusalsEN from "../../../i18n/refusals.en.json";
import refusalsZH from "../../../i18n/refusals.zh.json";
import replayEN from "../../../i18n/replay.en.json";
import replayZH from "../../../i18n/replay.zh.json";
import spatialEN from "../../../i18n/spatial.en.json";
import spatialZH from "../../../i18n/spatial.zh.json";
import wallEN from "../../../i18n/wall.en.json";
import wallZH from "../../../i18n/wall.zh.json";
import type { Lang } from "../contract";

export const BOOKS: Record<Lang, Record<string, string>> = {
  en: { ...en, ...alarmsEN, ...editorEN, ...graphEN, ...incidentsEN, ...plannerEN, ...refusalsEN, ...replayEN, ...spatialEN, ...wallEN },
  zh: { ...zh, ...alarmsZH, ...editorZH, ...graphZH, ...incidentsZH, ...plannerZH, ...refusalsZH, ...replayZH, ...spatialZH, ...wallZH },
};
