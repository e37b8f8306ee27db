// Lengths and areas on the CGCS2000 ellipsoid, from degrees lon, lat.

const A = 6378137;
const F = 1 / 298.257222101;
const B = A * (1 - F);
const E2 = F * (2 - F);
const E = Math.sqrt(E2);
export const MU_M2 = 2000 / 3;

const radians = (degrees) => (degrees * Math.PI) / 180;

function onSphere(lambda, s1, c1, s2, c2) {
  const across = Math.hypot(c2 * Math.sin(lambda), c1 * s2 - s1 * c2 * Math.cos(lambda));
  const along = s1 * s2 + c1 * c2 * Math.cos(lambda);
  const alpha = across ? (c1 * c2 * Math.sin(lambda)) / across : 0;
  const cosAlpha2 = 1 - alpha * alpha;
  const middle = cosAlpha2 ? along - (2 * s1 * s2) / cosAlpha2 : 0;
  return { across, along, sigma: Math.atan2(across, along), alpha, cosAlpha2, middle };
}

/** Give the geodesic length in metres between two points (Vincenty 1975, inverse); good to 0.1 mm in a village. */
export function distance([lon1, lat1], [lon2, lat2]) {
  const between = radians(lon2 - lon1);
  const [u1, u2] = [lat1, lat2].map((lat) => Math.atan((1 - F) * Math.tan(radians(lat))));
  const reduced = [Math.sin(u1), Math.cos(u1), Math.sin(u2), Math.cos(u2)];
  let lambda = between;
  let found = onSphere(lambda, ...reduced);
  for (let turn = 0; turn < 50; turn += 1) {
    const { sigma, across, along, alpha, cosAlpha2, middle } = found;
    const c = (F / 16) * cosAlpha2 * (4 + F * (4 - 3 * cosAlpha2));
    const next = between + (1 - c) * F * alpha * (sigma + c * across * (middle + c * along * (2 * middle ** 2 - 1)));
    found = onSphere(next, ...reduced);
    if (Math.abs(next - lambda) < 1e-12) break;
    lambda = next;
  }
  const { sigma, across, along, cosAlpha2, middle } = found;
  const u = (cosAlpha2 * (A * A - B * B)) / (B * B);
  const a = 1 + (u / 16384) * (4096 + u * (-768 + u * (320 - 175 * u)));
  const b = (u / 1024) * (256 + u * (-128 + u * (74 - 47 * u)));
  const inner = along * (2 * middle ** 2 - 1) - (b / 6) * middle * (4 * across ** 2 - 3) * (4 * middle ** 2 - 3);
  return B * a * (sigma - b * across * (middle + (b / 4) * inner));
}

/** Give the length of a line in metres. */
export function length(points) {
  return points.slice(1).reduce((total, point, i) => total + distance(points[i], point), 0);
}

function authalic(lat) {
  const s = Math.sin(radians(lat));
  return (1 - E2) * (s / (1 - E2 * s * s) + Math.atanh(E * s) / E);
}

/** Give the area of a ring in m², on the equal-area cylinder of the ellipsoid (Snyder 1987, eq. 3-12); within 1e-5
    of the geodesic polygon for edges up to 3 km. */
export function area(ring) {
  const closed = [...ring, ring[0]];
  const twice = ring.reduce((total, [lon, lat], i) => {
    const [nextLon, nextLat] = closed[i + 1];
    return total + radians(nextLon - lon) * (authalic(lat) + authalic(nextLat));
  }, 0);
  return Math.abs((A * A * twice) / 4);
}
