/**
 * One surface program for every tile: light is worked out per vertex from what the compiler baked (ambient occlusion,
 * sunlit share, upwardness), so the fragment has only patterns, state colour and fog to do. Runs well without a GPU.
 */
import { type Color, DataTexture, DoubleSide, GLSL3, LineBasicMaterial, RawShaderMaterial, Texture, Vector2, Vector3, Vector4 } from "three";
import { LOOKS } from "./look";
import type { Theme } from "../contract";
import type { StateTexture } from "./state";

const LIGHTING = /* glsl */ `
uniform vec3 uSun, uSky, uGround; uniform float uExposure, uNight;
vec3 tone(vec3 linear) {
  vec3 c = sqrt(1. - exp(-linear * uExposure));
  c = mix(c, c * c * (3. - 2. * c), .28);
  float grey = dot(c, vec3(.3, .59, .11));
  return mix(vec3(grey), c, 1.1);
}`;

const VERTEX = /* glsl */ `
precision highp float; precision highp int;
uniform mat4 modelViewMatrix, projectionMatrix, modelMatrix;
uniform highp sampler2D uState;
uniform float uFogDensity, uLift, uDim;
${LIGHTING}
in vec3 position; in vec4 color; in vec4 _shade; in vec2 uv; in float node;
#ifdef INSTANCED
in mat4 instanceMatrix; in vec4 _TINT;
#endif
out vec3 vColour; out vec3 vAlbedo; out vec3 vWorld; out vec2 vUv; out float vFog; out vec2 vLight;
flat out vec4 vState; flat out float vClass; flat out float vNode;
void main() {
  vec4 local = vec4(position, 1.);
#ifdef INSTANCED
  local = instanceMatrix * local;
#endif
  vec4 world = modelMatrix * local;
  vec4 view = modelViewMatrix * local;
  gl_Position = projectionMatrix * view;
  vClass = floor(_shade.z + .5);
  vNode = node;
  int i = int(node + .5);
  vState = texelFetch(uState, ivec2(i % 512, i / 512), 0);
  vec3 albedo = color.rgb * color.rgb;
  float sunlit = _shade.x / 255., up = _shade.y / 255., ao = color.a;
#ifdef INSTANCED
  albedo *= _TINT.rgb * _TINT.rgb;
  sunlit *= _TINT.a;
#endif
  if (uNight > .5) {
    float green = smoothstep(.0, .08, albedo.g - max(albedo.r, albedo.b) * .92);
    albedo = mix(albedo * vec3(.62, .7, .82), vec3(.42, .5, .62) * albedo.g, green * .8);
  }
  vLight = vec2(sunlit, ao);
  vAlbedo = albedo;
  vColour = albedo * (mix(uGround, uSky, up) * ao + uSun * sunlit * (.55 + .45 * ao));
  vWorld = world.xyz;
  vUv = uv;
  float far = length(view.xyz) * uFogDensity;
  vFog = 1. - exp(-pow(far, 2.6));
}`;

const FRAGMENT = /* glsl */ `
precision highp float; precision highp int;
uniform vec3 uFog, uHighlight, uCap, uDimColour; uniform vec4 uLightBounds; uniform sampler2D uLightMap;
uniform float uClip, uAlpha, uDim, uTime, uHasLight, uPick, uXray;
uniform vec3 cameraPosition;
${LIGHTING}
in vec3 vColour; in vec3 vAlbedo; in vec3 vWorld; in vec2 vUv; in float vFog; in vec2 vLight;
flat in vec4 vState; flat in float vClass; flat in float vNode;
layout(location = 0) out vec4 outColour;
float hash(float n) { return fract(sin(n * 12.9898 + 4.1414) * 43758.5453); }
float hash2(vec2 p) { return fract(sin(dot(p, vec2(127.1, 311.7))) * 43758.5453); }
float pulse(float x, float width) {           // share of a window in one period, box-filtered
  float w = max(fwidth(x), 1e-4), e = (1. - width) * .5;
  if (w > 1.) return width;
  float a = fract(x), lo = clamp((a - e) / w + .5, 0., 1.), hi = clamp((1. - e - a) / w + .5, 0., 1.);
  return min(lo, hi);
}
vec3 glass(vec3 n, float seed) {
  vec3 eye = normalize(vWorld - cameraPosition);
  float facing = abs(dot(eye, n)), fresnel = .22 + .6 * pow(1. - facing, 3.);
  vec3 sky = mix(vec3(.52, .6, .68), vec3(.24, .38, .56), .35 + .3 * hash(seed));
  return mix(vec3(.05, .1, .155) * (.9 + .3 * hash(seed + 3.)), sky * (.7 + .3 * vLight.x), fresnel);
}
vec3 litWindow(float seed) {
  vec3 warm = hash(seed + 1.) < .62 ? vec3(1., .72, .38) : vec3(.75, .88, 1.);
  return hash(seed) < .46 ? warm * (.3 + .7 * hash(seed + 2.)) : vec3(.018, .028, .05);
}
void main() {
  if (vWorld.z > uClip) discard;
  int flags = int(vState.a * 255. + .5);
  if ((flags & 1) != 0) discard;
  if (uPick > .5) { float id = vNode; outColour = vec4(mod(id, 256.), mod(floor(id / 256.), 256.), floor(id / 65536.), 255.) / 255.; return; }
  int cls = int(vClass + .5);
  vec3 linear = vColour;
  vec3 n = normalize(cross(dFdx(vWorld), dFdy(vWorld)));
  bool isGround = (cls >= 6 && cls <= 9) || cls == 16 || cls == 17;
  if (isGround && uHasLight > .5) {
    vec2 at = (vWorld.xy - uLightBounds.xy) / (uLightBounds.zw - uLightBounds.xy);
    if (all(greaterThan(at, vec2(0.))) && all(lessThan(at, vec2(1.)))) {
      vec4 map = texture(uLightMap, at);
      linear = vAlbedo * (uSky * map.r + uSun * .8 * map.b * (.55 + .45 * map.r));
      linear += uNight * (vAlbedo + .02) * map.g * 5.5 * vec3(1., .7, .38);
    }
  }
  if (cls == 9) linear = mix(linear, uNight > .5 ? vec3(.012, .03, .055) : vec3(.2, .33, .4), .35);
  if (cls == 1) linear = uNight > .5 ? litWindow(vNode) * .55 : glass(n, vNode);
  else if (cls >= 2 && cls <= 4) {
    float wu = cls == 2 ? .46 : cls == 3 ? .93 : .9, wv = cls == 2 ? .56 : cls == 3 ? .52 : .8;
    float share = pulse(vUv.x, wu) * pulse(vUv.y, wv);
    float seed = hash2(floor(vUv)) * 91. + vNode;
    vec3 pane = uNight > .5 ? litWindow(seed) * .5 : glass(n, seed);
    linear = mix(linear, pane, share * (abs(n.z) < .5 ? 1. : 0.));
  } else if (cls == 5) linear *= 1. - .08 * pulse(vUv.x * 4., .5);
  else if (cls == 12) linear = uNight > .5 ? vec3(1.6, 1.2, .7) : linear;
  vec3 c = tone(linear);
  if (!gl_FrontFacing && vWorld.z > uClip - .35 && uClip < 1e5) c = uCap;
  if ((flags & 2) != 0) {
    float shade = cls == 13 ? (.8 + .2 * vLight.y) : (.62 + .38 * clamp(dot(c, vec3(.4)), 0., 1.));
    c = mix(c, vState.rgb * shade, cls == 13 ? 1. : .82);
  }
  if ((flags & 4) != 0) c = mix(c, uHighlight, .45);
  if ((flags & 8) != 0) c = mix(c, vState.rgb, .35 + .3 * sin(uTime * 3.9));
  c = mix(c, uDimColour, uDim);
  c = mix(c, uFog, vFog * (1. - .6 * step(uClip, 1e5)));
  if (uXray > .5) { float edge = 1. - abs(dot(normalize(vWorld - cameraPosition), n)); outColour = vec4(c, .12 + .35 * edge); return; }
  outColour = vec4(c, uAlpha);
}`;

/** Uniforms every surface shares: look, light map, state. Held by reference so one write reaches all. */
export function sharedUniforms(state: StateTexture, theme: Theme) {
  const look = LOOKS[theme];
  return {
    uSun: { value: look.sun }, uSky: { value: look.sky }, uGround: { value: look.ground }, uExposure: { value: look.exposure },
    uNight: { value: look.night }, uFog: { value: look.fog as Color }, uFogDensity: { value: look.fogDensity },
    uState: { value: state.texture as DataTexture }, uLightMap: { value: null as Texture | null }, uLightBounds: { value: new Vector4(0, 0, 1, 1) },
    uHasLight: { value: 0 }, uTime: { value: 0 }, uPick: { value: 0 }, uHighlight: { value: new Vector3(0.31, 0.76, 0.72) },
    uCap: { value: new Vector3(0.36, 0.4, 0.44) }, uDimColour: { value: look.fog as Color }, uResolution: { value: new Vector2(1, 1) },
  };
}
export type Shared = ReturnType<typeof sharedUniforms>;

export function applyLook(shared: Shared, theme: Theme): void {
  const look = LOOKS[theme];
  shared.uSun.value = look.sun; shared.uSky.value = look.sky; shared.uGround.value = look.ground; shared.uExposure.value = look.exposure;
  shared.uNight.value = look.night; shared.uFog.value = look.fog; shared.uFogDensity.value = look.fogDensity; shared.uDimColour.value = look.fog;
  shared.uCap.value.set(...(theme === "dark" ? [0.16, 0.21, 0.3] : [0.4, 0.45, 0.49]) as [number, number, number]);
}

/** How one group of tiles is drawn: cut height, transparency, how far it steps back. */
export interface Manner { clip: { value: number }; alpha: { value: number }; dim: { value: number }; xray: { value: number } }
export const manner = (): Manner => ({ clip: { value: 1e9 }, alpha: { value: 1 }, dim: { value: 0 }, xray: { value: 0 } });

export function surfaceMaterial(shared: Shared, how: Manner, isInstanced: boolean): RawShaderMaterial {
  return new RawShaderMaterial({
    glslVersion: GLSL3, vertexShader: VERTEX, fragmentShader: FRAGMENT, side: DoubleSide, defines: isInstanced ? { INSTANCED: 1 } : {},
    uniforms: { ...shared, uClip: how.clip, uAlpha: how.alpha, uDim: how.dim, uXray: how.xray, uLift: { value: 0 } },
  });
}

export function edgeMaterial(theme: Theme): LineBasicMaterial {
  const look = LOOKS[theme];
  return new LineBasicMaterial({ color: look.edge, transparent: true, opacity: look.edgeAlpha, depthWrite: false });
}
