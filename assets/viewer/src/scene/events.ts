import type { SceneEvents } from "../contract";

type Handlers = { [K in keyof SceneEvents]: Set<SceneEvents[K]> };

/** The view's subscribers, by event. */
export class Events {
  private readonly handlers: Handlers = { pick: new Set(), hover: new Set(), progress: new Set(), firstFrame: new Set(), camera: new Set(), lost: new Set() };

  on<K extends keyof SceneEvents>(event: K, handler: SceneEvents[K]): () => void {
    this.handlers[event].add(handler);
    return () => this.handlers[event].delete(handler);
  }

  emit<K extends keyof SceneEvents>(event: K, ...args: Parameters<SceneEvents[K]>): void {
    for (const handler of this.handlers[event]) (handler as (...a: Parameters<SceneEvents[K]>) => void)(...args);
  }
}
