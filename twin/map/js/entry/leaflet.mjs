// What the page uses of Leaflet where there is no WebGL2.
export { CRS, DomUtil, GridLayer, Map, Util } from "leaflet/dist/leaflet-src.esm.js";
