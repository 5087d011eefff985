/** GLSL of the model: light per vertex, façade pattern, lit windows, state colour and fog per fragment. */

/** Flags in the alpha byte of the state texture. */
export const HIDDEN = 1, OVERRIDE = 2, HIGHLIGHT = 4, BLINK = 8, HATCH = 16;

const HEAD = `
precision highp float; precision highp int; precision highp sampler2D;
`;

/* share of a colour that comes through the haze; x = (distance × density)² */
const HAZE = `float haze(float x) { return 1.0 / (1.0 + x * (0.3 + x * (0.55 + 0.5 * x))); }
`;

const COMMON_VERTEX = `${HEAD}
in vec3 position;
in uint node;
uniform mat4 modelMatrix, modelViewMatrix, viewMatrix, projectionMatrix;
uniform float lift;
#ifdef INSTANCED
in mat4 instanceMatrix;
in vec4 _tint;
#define LOCAL (instanceMatrix * vec4(position, 1.0))
#else
#define LOCAL vec4(position, 1.0)
#endif
vec4 placed() {
  vec4 p = modelMatrix * LOCAL;
  p.z += lift;
  return p;
}
/* what projectionMatrix does, without its zeros; a view's offset is in the third column */
vec4 projected(vec3 v) {
  return vec4(projectionMatrix[0][0] * v.x + projectionMatrix[2][0] * v.z, projectionMatrix[1][1] * v.y + projectionMatrix[2][1] * v.z,
    projectionMatrix[2][2] * v.z + projectionMatrix[3][2], -v.z);
}
`;

/*
 * Variants, because a machine without a graphics card pays for every line it does not need:
 * FACADE has a window pattern · GROUND takes the ground light texture · STATE reads the colour of its own node ·
 * CLIP is cut by height · CAPS draws what is seen from behind as a cut · INSTANCED is placed many times.
 * Everything else is settled per vertex, in display space.
 */
export const MODEL_VERTEX = `${COMMON_VERTEX}
/* settled by bake.ts: display rgb, surface class; of instances, which turn, also without the sun */
in vec4 lit;
#ifdef INSTANCED
in vec4 dim;
#endif
#ifdef FACADE
in vec2 uv;
out vec2 vUv;
out vec3 vPane;
flat out vec4 vFacade;
#endif
#ifdef STATE
uniform sampler2D stateTex;
flat out float vHatch;
#endif
uniform uint owner;
uniform vec4 ownerState;
/* where its alarm stands: park height, and how much it tints (0 without one) */
uniform vec2 alarm;
uniform vec3 alarmColour;
uniform vec3 fog, ghostColour, glass, accent, noneColour;
uniform float fogPerMetre, ghostMix, fade, ownerTint;
out vec3 vLit;
#ifdef CLIP
out vec3 vWorld;
#endif
#ifdef CAPS
flat out float vIsWall;
#endif
#ifdef GROUND
uniform vec4 lightBounds;
flat out float vTakesLight;
out vec2 vGround;
#else
out float vFog;
#endif
${HAZE}
void main() {
  #ifdef CLIP
  vWorld = placed().xyz;
  vec3 v = (viewMatrix * vec4(vWorld, 1.0)).xyz;
  #else
  vec3 v = (modelViewMatrix * LOCAL).xyz;
  #endif
  gl_Position = projected(v);
  uint cls = uint(lit.a * 255.0 + 0.5);
  #ifdef INSTANCED
  vec3 c = mix(dim.rgb, lit.rgb, _tint.a) * _tint.rgb;
  #else
  vec3 c = lit.rgb;
  #endif
  #ifdef GROUND
  vTakesLight = (cls >= 6u && cls <= 9u) || cls == 16u ? 1.0 : 0.0;
  vGround = ((modelMatrix * LOCAL).xy - lightBounds.xy) / (lightBounds.zw - lightBounds.xy);
  #endif
  #ifdef FACADE
  vUv = uv;
  vFacade = vec4(cls == 2u ? vec2(0.46, 0.56) : cls == 3u ? vec2(0.93, 0.52) : vec2(0.90, 0.80), fract(float(owner + node * 7u) * 0.6180339), cls == 5u ? 1.0 : cls == 4u ? 2.0 : cls >= 2u && cls < 5u ? 3.0 : 0.0);
  vPane = glass * (0.72 + 0.42 * dot(c, vec3(0.3, 0.6, 0.1)));
  #endif
  c = mix(c, fog, fade);
  vec4 paint = vec4(0.0);
  bool isShell = cls < 6u || cls == 10u;
  uint of = uint(ownerState.a * 255.0 + 0.5);
  if (isShell && (of & 2u) != 0u) paint = vec4(ownerState.rgb * (0.55 + 0.45 * dot(c, vec3(0.333))), ownerTint * (cls == 10u ? 1.0 : 0.28));
  if (isShell && (of & 4u) != 0u) paint = vec4(accent, 0.22);
  if (isShell && alarm.y > 0.0) {
    float off = (modelMatrix * LOCAL).z - alarm.x;
    float red = alarm.y * (0.34 + 0.66 / (1.0 + off * off * 0.012));
    paint = vec4(mix(paint.rgb, alarmColour * (0.5 + 0.5 * dot(c, vec3(0.333))), red), max(paint.a * (1.0 - red), red));
  }
  if (cls == 13u) paint = vec4(noneColour, 0.35);
  #ifdef STATE
  vec4 state = texelFetch(stateTex, ivec2(int(node & 511u), int(node >> 9)), 0);
  uint flags = uint(state.a * 255.0 + 0.5);
  if ((flags & 2u) != 0u) paint = vec4(state.rgb, cls == 13u ? 0.96 : 0.75);
  if ((flags & 4u) != 0u) paint = vec4(accent, 0.3);
  if ((flags & 8u) != 0u) paint = vec4(alarmColour, cls == 13u ? 0.8 : 0.35);
  vHatch = (flags & 24u) == 16u && cls == 13u ? 1.0 : 0.0;
  if ((flags & 1u) != 0u) gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
  #endif
  c = mix(mix(c, paint.rgb, paint.a), ghostColour, ghostMix);
  #ifdef FACADE
  vPane = mix(mix(mix(vPane, fog, fade), paint.rgb, paint.a), ghostColour, ghostMix);
  #endif
  #ifndef GROUND
  vFog = haze(v.z * v.z * fogPerMetre * fogPerMetre);
  #endif
  #if defined(GROUND) || defined(FACADE)
  vLit = c;
  #else
  vLit = mix(fog, c, vFog);
  #endif
  #ifdef CAPS
  vIsWall = cls == 0u || (cls >= 2u && cls <= 5u) ? 1.0 : 0.0;
  #endif
}
`;

export const MODEL_FRAGMENT = `${HEAD}
in vec3 vLit;
#ifdef CLIP
in vec3 vWorld;
#endif
#ifdef FACADE
in vec2 vUv;
in vec3 vPane;
flat in vec4 vFacade;
#endif
#ifdef STATE
flat in float vHatch;
#endif
#ifdef CAPS
flat in float vIsWall;
#endif
#ifdef GROUND
flat in float vTakesLight;
in vec2 vGround;
#else
in float vFog;
#endif
uniform vec3 fog, capColour, noneColour;
uniform float fogPerMetre, night, alpha, clipAbove, clipBelow, hasLight, litShare;
uniform sampler2D lightTex;
out vec4 outColour;
${HAZE}
float hash(vec2 p) { p = fract(p * vec2(0.1031, 0.1137)); p += dot(p, p.yx + 33.33); return fract((p.x + p.y) * p.x); }
/* share of a pixel of width w inside pulses of width d repeating every 1 */
vec2 pulse(vec2 x, vec2 d, vec2 w) {
  vec2 a = x - 0.5 * w + 0.5 * d, b = x + 0.5 * w + 0.5 * d;
  return clamp((floor(b) * d + min(fract(b), d) - floor(a) * d - min(fract(a), d)) / w, 0.0, 1.0);
}
#ifdef FACADE
vec3 facade(vec3 wall) {
  float kind = vFacade.w;
  if (kind == 0.0) return wall;
  vec2 w = max(fwidth(vUv), vec2(1e-4));
  if (kind == 1.0) return wall * (1.0 - 0.08 * pulse(vUv * 8.0, vec2(0.5), w * 8.0).x);
  vec2 share = pulse(vUv - vec2(0.5, kind == 2.0 ? 0.5 : 0.54), vFacade.xy, w);
  vec2 cell = floor(vUv);
  float seed = vFacade.z, far = smoothstep(0.5, 1.1, max(w.x, w.y));
  vec3 pane = vPane * (0.92 + 0.16 * mix(hash(cell + seed * 97.0), 0.5, far));
  if (night > 0.5) {
    float lit = step(0.22, hash(vec2(cell.y, seed * 53.0))) * step(hash(cell * 1.7 + seed * 31.0), litShare);
    float k = mix(0.35, 1.0, hash(cell * 2.3 + 5.0));
    vec3 lamp = hash(cell + 11.0) < 0.62 ? vec3(1.0, 0.86, 0.62) : vec3(0.86, 0.93, 1.0);
    lit = mix(lit, 0.78 * litShare, far); k = mix(k, 0.6, far); lamp = mix(lamp, vec3(0.95, 0.87, 0.72), far);
    pane = mix(pane, lamp * (0.35 + 0.65 * k), lit);
  }
  return mix(wall, pane, share.x * share.y);
}
#endif
void main() {
  #ifdef CLIP
  if (vWorld.z > clipAbove || vWorld.z < clipBelow) discard;
  #endif
  vec3 c = vLit;
  #ifdef FACADE
  c = mix(fog, facade(c), vFog);
  #endif
  #ifdef GROUND
  vec2 inside = step(abs(vGround - 0.5), vec2(0.5));
  vec3 l = texture(lightTex, vec2(vGround.x, 1.0 - vGround.y)).rgb;
  vec3 at = c;
  if (night < 0.5) at *= (vec3(0.62, 0.66, 0.73) + vec3(0.38, 0.34, 0.27) * l.b) * (0.62 + 0.38 * l.r);
  else { at *= 0.7 + 0.3 * l.r; at = mix(at, at * 1.4 + vec3(0.62, 0.50, 0.33), l.g * 0.85); }
  c = mix(c, at, vTakesLight * hasLight * inside.x * inside.y);
  /* ground reaches to the horizon in few triangles: its haze is by pixel, of the depth */
  float deep = fogPerMetre / gl_FragCoord.w;
  c = mix(fog, c, haze(deep * deep));
  #endif
  #ifdef STATE
  if (vHatch > 0.5) c = noneColour * (1.0 - 0.22 * step(0.5, fract((gl_FragCoord.x + gl_FragCoord.y) / 7.0)));
  #endif
  #ifdef CAPS
  if (!gl_FrontFacing && vIsWall > 0.5) c = capColour;
  #endif
  outColour = vec4(c, alpha);
}
`;

export const DEPTH_FRAGMENT = `${HEAD}
out vec4 outColour;
#ifdef CLIP
in vec3 vWorld; uniform float clipAbove, clipBelow;
#endif
void main() {
  #ifdef CLIP
  if (vWorld.z > clipAbove || vWorld.z < clipBelow) discard;
  #endif
  outColour = vec4(0.0);
}
`;

/** One pixel, four floats: node, owner, distance from the eye, class. */
export const PICK_VERTEX = `${COMMON_VERTEX}
in vec4 _shade;
uniform sampler2D stateTex;
flat out uint vNode; flat out uint vCls; out vec3 vWorld;
void main() {
  vec4 p = placed(); vWorld = p.xyz; vNode = node; vCls = uint(_shade.z + 0.5);
  gl_Position = projectionMatrix * viewMatrix * p;
  float a = texelFetch(stateTex, ivec2(int(node & 511u), int(node >> 9)), 0).a;
  if ((uint(a * 255.0 + 0.5) & 1u) != 0u) gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
}
`;
export const PICK_FRAGMENT = `${HEAD}
flat in uint vNode; flat in uint vCls; in vec3 vWorld;
uniform uint owner; uniform vec3 eye; uniform float clipAbove, clipBelow;
out vec4 outColour;
void main() {
  if (vWorld.z > clipAbove || vWorld.z < clipBelow) discard;
  outColour = vec4(float(vNode), float(owner), distance(vWorld, eye), float(vCls) + 1.0);
}
`;

export const EDGE_VERTEX = `${HEAD}
in vec3 position;
uniform mat4 modelMatrix, viewMatrix, projectionMatrix;
uniform float lift; uniform vec3 eye;
out vec3 vWorld;
void main() {
  vec4 p = modelMatrix * vec4(position, 1.0); p.z += lift; vWorld = p.xyz;
  gl_Position = projectionMatrix * (viewMatrix * p * vec4(0.9990, 0.9990, 0.9990, 1.0));
}
`;
export const EDGE_FRAGMENT = `${HEAD}
in vec3 vWorld; uniform vec3 edgeColour, eye; uniform float edgeAlpha, edgeShare, fogPerMetre, clipAbove, clipBelow; out vec4 outColour;
void main() {
  if (vWorld.z > clipAbove || vWorld.z < clipBelow) discard;
  float d = distance(vWorld, eye) * fogPerMetre;
  outColour = vec4(edgeColour, edgeAlpha * edgeShare * exp(-d * d * 2.0));
}
`;

export const SKY_VERTEX = `${HEAD}
in vec3 position; out vec2 vAt;
void main() { vAt = position.xy; gl_Position = vec4(position.xy, 1.0, 1.0); }
`;
export const SKY_FRAGMENT = `${HEAD}
in vec2 vAt; uniform mat4 rays; uniform vec3 fog, zenith; out vec4 outColour;
void main() {
  vec4 a = rays * vec4(vAt, 1.0, 1.0); vec3 d = normalize(a.xyz);
  outColour = vec4(mix(fog, zenith, 1.0 - exp(-4.5 * max(d.z, 0.0))), 1.0);
}
`;
export const COPY_FRAGMENT = `${HEAD}
in vec2 vAt; uniform sampler2D picture; uniform float alpha; out vec4 outColour;
void main() { outColour = vec4(texture(picture, vAt * 0.5 + 0.5).rgb, alpha); }
`;
