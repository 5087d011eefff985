/** The few materials everything is drawn with. Uniforms of a look are shared; a role (solid, ghost, opened…) adds its own. */
import {
  DataTexture, DoubleSide, GLSL3, Matrix4, RawShaderMaterial, Texture, Vector2, Vector3, Vector4, type IUniform, type Material, type Mesh,
} from "three";
import { display, type Look } from "./look";
import {
  DEPTH_FRAGMENT, EDGE_FRAGMENT, EDGE_VERTEX, MODEL_FRAGMENT, MODEL_VERTEX, PICK_FRAGMENT, PICK_VERTEX,
} from "./shaders";
import type { StateTexture } from "./state";

/** What a piece is, as far as its program goes. */
export interface Cut { isInstanced: boolean; hasFacade: boolean; isGround: boolean; hasState: boolean }
export type Role = "solid" | "ground" | "ghost" | "opened" | "lower" | "lifted" | "veil" | "pipes" | "section";
const FAR = 1e6;
/** How red the walls of a building are at the height of its alarm. */
const ALARM_SHARE = 0.62;

interface RoleUniforms { [name: string]: IUniform; alpha: IUniform<number>; ghostMix: IUniform<number>; fade: IUniform<number>;
  clipAbove: IUniform<number>; clipBelow: IUniform<number>; lift: IUniform<number>; ownerTint: IUniform<number>; owner: IUniform<number>; edgeShare: IUniform<number> }

const CLIPPED: ReadonlySet<Role> = new Set(["opened", "lower", "lifted", "section"]);

function definesOf(role: Role, cut: Cut): Record<string, number> {
  return {
    ...(cut.isInstanced ? { INSTANCED: 1 } : {}), ...(cut.hasFacade ? { FACADE: 1 } : {}), ...(cut.isGround ? { GROUND: 1 } : {}),
    ...(cut.hasState ? { STATE: 1 } : {}), ...(CLIPPED.has(role) ? { CLIP: 1 } : {}), ...(role === "opened" || role === "section" ? { CAPS: 1 } : {}),
  };
}

export class Materials {
  readonly shared: Record<string, IUniform>;
  readonly roles = new Map<Role, RoleUniforms>();
  /** buildings (dense node index) with an urgent alarm, and the park height it stands at */
  readonly alarmed = new Map<number, number>();
  private readonly surfaces = new Map<string, RawShaderMaterial>();
  private readonly edges = new Map<string, RawShaderMaterial>();
  private readonly picks = new Map<string, RawShaderMaterial>();

  constructor(private readonly state: StateTexture) {
    const blank = new DataTexture(new Uint8Array([255, 0, 255, 255]), 1, 1);
    blank.needsUpdate = true;
    this.shared = {
      stateTex: { value: state.texture }, lightTex: { value: blank as Texture }, hasLight: { value: 0 },
      lightBounds: { value: new Vector4(0, 0, 1, 1) }, eye: { value: new Vector3() }, night: { value: 0 }, fog: { value: new Vector3() },
      zenith: { value: new Vector3() }, ghostColour: { value: new Vector3() }, capColour: { value: new Vector3() },
      glass: { value: new Vector3() }, accent: { value: new Vector3() }, noneColour: { value: new Vector3() },
      edgeColour: { value: new Vector3() }, edgeAlpha: { value: 0.3 }, fogPerMetre: { value: 0.001 }, litShare: { value: 0.46 }, alarm: { value: new Vector2() }, alarmColour: { value: new Vector3() }, ownerState: { value: new Vector4() },
      rays: { value: new Matrix4() },
    };
    for (const role of ["solid", "ground", "ghost", "opened", "lower", "lifted", "veil", "pipes", "section"] as Role[]) {
      this.roles.set(role, {
        alpha: { value: 1 }, ghostMix: { value: 0 }, fade: { value: 0 }, clipAbove: { value: FAR }, clipBelow: { value: -FAR },
        lift: { value: 0 }, ownerTint: { value: 0 }, owner: { value: 0 }, edgeShare: { value: role === "lifted" ? 0.45 : 1 },
      });
    }
  }

  /** Sets every uniform of a look; no shader is compiled, no buffer touched. */
  apply(look: Look, accent: string, alarm: string): void {
    const u = this.shared;
    for (const [name, css] of [["fog", look.fog], ["zenith", look.zenith], ["ghostColour", look.ghost], ["capColour", look.cap],
      ["glass", look.glass], ["accent", accent], ["alarmColour", alarm], ["noneColour", look.none], ["edgeColour", look.edge]] as const) {
      (u[name]!.value as Vector3).copy(display(css));
    }
    u.night!.value = look.night; u.fogPerMetre!.value = look.fogPerMetre; u.edgeAlpha!.value = look.edgeAlpha;
    this.role("ghost").alpha.value = look.ghostAlpha;
    this.role("ghost").ghostMix.value = 0.75;
    this.role("lifted").alpha.value = look.ghostAlpha * 0.22;
    this.role("lifted").ghostMix.value = 0.85;
    this.role("ground").fade.value = look.fade;
    this.role("veil").alpha.value = 0.26;
    this.role("veil").fade.value = look.fade;
  }

  role(role: Role): RoleUniforms { return this.roles.get(role)!; }

  surface(role: Role, cut: Cut): RawShaderMaterial {
    const defines = definesOf(role, cut);
    const key = [role, ...Object.keys(defines)].join(" ");
    let made = this.surfaces.get(key);
    if (!made) {
      const isBlended = role === "ghost" || role === "lifted" || role === "veil";
      made = new RawShaderMaterial({
        name: key, glslVersion: GLSL3, vertexShader: MODEL_VERTEX, fragmentShader: MODEL_FRAGMENT,
        uniforms: { ...this.shared, ...this.roles.get(role)! }, side: DoubleSide, transparent: isBlended,
        depthWrite: role !== "veil", defines,
      });
      this.surfaces.set(key, made);
    }
    return made;
  }

  edge(role: Role): RawShaderMaterial {
    let made = this.edges.get(role);
    if (!made) {
      made = new RawShaderMaterial({
        name: `edge-${role}`, glslVersion: GLSL3, vertexShader: EDGE_VERTEX, fragmentShader: EDGE_FRAGMENT,
        uniforms: { ...this.shared, ...this.roles.get(role)! }, transparent: true, depthWrite: false,
      });
      this.edges.set(role, made);
    }
    return made;
  }

  /** The id pass ("pick") and the depth-only pass ("depth") share the vertex program with the picture. */
  probe(kind: "pick" | "depth", role: Role, cut: Cut): RawShaderMaterial {
    const defines = definesOf(role, { ...cut, hasFacade: false, isGround: false });
    const key = [kind, ...Object.keys(defines)].join(" ");
    let made = this.picks.get(key);
    if (!made) {
      made = new RawShaderMaterial({
        name: key, glslVersion: GLSL3, side: DoubleSide, vertexShader: kind === "pick" ? PICK_VERTEX : MODEL_VERTEX,
        fragmentShader: kind === "pick" ? PICK_FRAGMENT : DEPTH_FRAGMENT, colorWrite: kind === "pick",
        defines,
        uniforms: { ...this.roles.get(role)!, ...this.shared, clipAbove: { value: FAR }, clipBelow: { value: -FAR }, lift: { value: 0 }, owner: { value: 0 } },
      });
      this.picks.set(key, made);
    }
    return made;
  }

  /** To be called as a mesh's onBeforeRender: hands its owner (and, in a probe, its role's clip) to the program. */
  prepare(mesh: Mesh, material: Material, owner: number, role: Role): void {
    const shader = material as RawShaderMaterial;
    const u = shader.uniforms;
    if (!u) return;
    if (u.owner) u.owner.value = owner;
    const { bytes } = this.state;
    if (u.ownerState) {
      const at = owner * 4;
      (u.ownerState.value as Vector4).set(bytes[at] ?? 0, bytes[at + 1] ?? 0, bytes[at + 2] ?? 0, bytes[at + 3] ?? 0).divideScalar(255);
    }
    if (u.alarm) {
      const height = role === "opened" || role === "lower" ? undefined : this.alarmed.get(owner); // there the room itself is red
      (u.alarm.value as Vector2).set(height ?? 0, height === undefined ? 0 : ALARM_SHARE);
    }
    if (shader.name.startsWith("pick") || shader.name.startsWith("depth")) {
      const own = this.role(role);
      u.clipAbove!.value = own.clipAbove.value; u.clipBelow!.value = own.clipBelow.value; u.lift!.value = own.lift.value;
    }
    shader.uniformsNeedUpdate = true;
  }

  dispose(): void {
    for (const m of [...this.surfaces.values(), ...this.edges.values(), ...this.picks.values()]) m.dispose();
  }
}
