/**
 * Two ways to put points on a canvas: WebGL where there is any, else the plain canvas. Both know
 *
 *   load(xy, order, colours)   points by number, in the order they are drawn; colours: 4 bytes a point, by number
 *   draw(sight)                sight: {scale, x, y, width, height, ratio, diameter, share}
 *   lost                       the drawing is gone and must be loaded again, or for good
 *
 * `share` below 1 draws that part of the points only, always the last ones: what must be seen stands there.
 */
const BYTES = 12; // of a point: x and y as float32, then red, green, blue, alpha

const VERTEX = `
  attribute vec2 place;
  attribute vec4 colour;
  uniform vec2 scale;
  uniform vec2 shift;
  uniform mediump float size;
  varying vec4 ink;
  void main() {
    gl_Position = vec4(place * scale + shift, 0.0, 1.0);
    gl_PointSize = size;
    ink = vec4(colour.rgb * colour.a, colour.a);
  }`;
const FRAGMENT = `
  precision mediump float;
  uniform float size;
  varying vec4 ink;
  void main() {
    float edge = 1.0 - smoothstep(0.5 - 1.2 / size, 0.5, length(gl_PointCoord - 0.5));
    gl_FragColor = ink * edge;
  }`;

/** null where the browser has no WebGL, or a driver that does not take our few lines; the canvas is spoilt then. */
export function webgl(canvas) {
  const gl = canvas.getContext("webgl", { antialias: false, premultipliedAlpha: true, alpha: true });
  if (!gl) return null;
  const program = linked(gl);
  if (!program) return null;
  const at = (name) => gl.getUniformLocation(program, name);
  const [scale, shift, size] = ["scale", "shift", "size"].map(at);
  let count = 0;
  gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
  attribute(gl, program, "place", 2, gl.FLOAT, false, 0);
  attribute(gl, program, "colour", 4, gl.UNSIGNED_BYTE, true, 8);
  gl.enable(gl.BLEND);
  gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  return {
    load(xy, order, colours) {
      count = order.length;
      gl.bufferData(gl.ARRAY_BUFFER, interleaved(xy, order, colours), gl.STATIC_DRAW);
    },
    draw(sight) {
      gl.viewport(0, 0, canvas.width, canvas.height);
      gl.clear(gl.COLOR_BUFFER_BIT);
      const [sx, sy] = [(2 * sight.scale) / sight.width, (2 * sight.scale) / sight.height];
      gl.uniform2f(scale, sx, sy);
      gl.uniform2f(shift, -sight.x * sx, -sight.y * sy);
      gl.uniform1f(size, sight.diameter * sight.ratio);
      const shown = Math.ceil(count * sight.share);
      gl.drawArrays(gl.POINTS, count - shown, shown);
    },
  };
}

function linked(gl) {
  const program = gl.createProgram();
  for (const [kind, source] of [
    [gl.VERTEX_SHADER, VERTEX],
    [gl.FRAGMENT_SHADER, FRAGMENT],
  ]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  gl.useProgram(program);
  return gl.getProgramParameter(program, gl.LINK_STATUS) ? program : null;
}

function attribute(gl, program, name, width, type, normalised, offset) {
  const place = gl.getAttribLocation(program, name);
  gl.enableVertexAttribArray(place);
  gl.vertexAttribPointer(place, width, type, normalised, BYTES, offset);
}

function interleaved(xy, order, colours) {
  const buffer = new ArrayBuffer(order.length * BYTES);
  const floats = new Float32Array(buffer);
  const words = new Uint32Array(buffer);
  const inks = new Uint32Array(colours.buffer, colours.byteOffset, colours.length / 4);
  for (let place = 0; place < order.length; place++) {
    const point = order[place];
    floats[3 * place] = xy[2 * point];
    floats[3 * place + 1] = xy[2 * point + 1];
    words[3 * place + 2] = inks[point];
  }
  return buffer;
}

/** Squares instead of discs, and one colour after the other: a canvas fills them several times as fast. */
export function plain(canvas) {
  const context = canvas.getContext("2d");
  let xy = [];
  let inks = new Map();
  return {
    load(places, order, colours) {
      xy = places;
      inks = byInk(order, colours);
    },
    draw({ scale, x, y, width, height, ratio, diameter, share }) {
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, width, height);
      for (const [ink, points] of inks) {
        context.fillStyle = ink;
        for (let place = Math.floor(points.length * (1 - share)); place < points.length; place++) {
          const left = (xy[2 * points[place]] - x) * scale + width / 2;
          const top = height / 2 - (xy[2 * points[place] + 1] - y) * scale;
          if (left < -diameter || top < -diameter || left > width + diameter || top > height + diameter) continue;
          context.fillRect(left - diameter / 2, top - diameter / 2, diameter, diameter);
        }
      }
    },
  };
}

/** Points by colour, in the order in which the colours come first: faded ones before those that stand out. */
function byInk(order, colours) {
  const words = new Uint32Array(colours.buffer, colours.byteOffset, colours.length / 4);
  const found = new Map();
  for (const point of order) {
    if (!found.has(words[point])) found.set(words[point], []);
    found.get(words[point]).push(point);
  }
  const css = (points) => {
    const [red, green, blue, alpha] = colours.subarray(4 * points[0], 4 * points[0] + 4);
    return `rgba(${red},${green},${blue},${alpha / 255})`;
  };
  return new Map([...found.values()].map((points) => [css(points), points]));
}
